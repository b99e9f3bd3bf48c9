# MELGRAD_DEVICE=cuda: the .cu files are compiled by nvcc. Needs the toolkit, no GPU.
if(NOT CMAKE_CUDA_COMPILER)
  find_program(CMAKE_CUDA_COMPILER nvcc HINTS ENV CUDACXX ENV CUDA_HOME ENV CUDA_PATH /usr/local/cuda PATH_SUFFIXES bin)
  if(NOT CMAKE_CUDA_COMPILER)
    message(FATAL_ERROR "No nvcc found: put it on the PATH, or set CUDACXX to it, or use the preset cpu or emulated")
  endif()
endif()

# The requested architectures that this toolkit supports.
execute_process(COMMAND ${CMAKE_CUDA_COMPILER} --list-gpu-arch
  OUTPUT_VARIABLE known_architectures OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
string(REGEX REPLACE "[^0-9]+" ";" known_architectures "${known_architectures}")
set(CMAKE_CUDA_ARCHITECTURES "")
foreach(architecture IN LISTS MELGRAD_CUDA_ARCHITECTURES)
  if(architecture IN_LIST known_architectures)
    list(APPEND CMAKE_CUDA_ARCHITECTURES ${architecture})
  else()
    message(STATUS "${CMAKE_CUDA_COMPILER} does not support architecture ${architecture}: left out")
  endif()
endforeach()
if(NOT CMAKE_CUDA_ARCHITECTURES)
  message(FATAL_ERROR
    "${CMAKE_CUDA_COMPILER} supports none of ${MELGRAD_CUDA_ARCHITECTURES}; set MELGRAD_CUDA_ARCHITECTURES")
endif()
message(STATUS "CUDA architectures: ${CMAKE_CUDA_ARCHITECTURES}")

enable_language(CUDA)
if(CMAKE_CUDA_COMPILER_VERSION VERSION_LESS 12.4)
  message(FATAL_ERROR "${CMAKE_CUDA_COMPILER} is of CUDA ${CMAKE_CUDA_COMPILER_VERSION}: 12.4 or newer is needed")
endif()
# CMake 3.25 does not know that nvcc 13 supports C++20: it would drop the option or fail.
if(NOT CMAKE_CUDA20_STANDARD_COMPILE_OPTION)
  set(CMAKE_CUDA20_STANDARD_COMPILE_OPTION -std=c++20)
endif()
find_package(CUDAToolkit REQUIRED)

# add_cuda_sources TARGET FILE...: adds .cu files to a target.
function(add_cuda_sources target)
  target_sources(${target} PRIVATE ${ARGN})
  set_target_properties(${target} PROPERTIES
    CUDA_STANDARD 20
    CUDA_STANDARD_REQUIRED ON
    CUDA_EXTENSIONS OFF
    CUDA_ARCHITECTURES "${CMAKE_CUDA_ARCHITECTURES}")
  # fmt 9 assumes that nvcc does not support constexpr.
  target_compile_definitions(${target} PRIVATE $<$<COMPILE_LANGUAGE:CUDA>:FMT_USE_CONSTEXPR=1>)
  target_compile_options(${target} PRIVATE
    $<$<COMPILE_LANGUAGE:CUDA>:-lineinfo $<$<BOOL:${MELGRAD_WARNINGS_AS_ERRORS}>:-Werror=all-warnings> -Xcompiler=-Wall,-Wextra,-Wno-missing-field-initializers>)
endfunction()

add_cuda_sources(melgrad_kernels ${kernels_cu})
target_compile_definitions(melgrad_kernels PUBLIC MELGRAD_CUDA=1)
target_link_libraries(melgrad_kernels PRIVATE CUDA::cudart_static CUDA::cublas CUDA::cufft)
add_subdirectory(kernels/device/cudnn)
