# `cmake --install` has these components. `program`: the program, its manual page and shell completions. `development`: one
# static library, the headers under include/melgrad and a CMake package that defines the target melgrad::melgrad.
# `mpi`: the plug-in for training by several processes, if an MPI library was found.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

# One archive of kernels, framework and models.
set(parts melgrad_kernels melgrad_framework melgrad_models)
if(TARGET melgrad_cudnn)
  list(APPEND parts melgrad_cudnn)
endif()
list(TRANSFORM parts REPLACE "(.+)" "$<TARGET_OBJECTS:\\1>" OUTPUT_VARIABLE objects)
add_library(melgrad_library STATIC ${objects})
set_target_properties(melgrad_library PROPERTIES LINKER_LANGUAGE CXX OUTPUT_NAME melgrad EXPORT_NAME melgrad)
target_compile_features(melgrad_library INTERFACE cxx_std_20)
# Programs include <melgrad/...>; the headers include each other relative to include/melgrad.
target_include_directories(melgrad_library INTERFACE
  $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>
  $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}/melgrad>)
set(libraries_of_the_kernels DNNL::dnnl)
if(MELGRAD_DEVICE STREQUAL "cuda")
  target_compile_definitions(melgrad_library INTERFACE MELGRAD_CUDA=1)
  list(APPEND libraries_of_the_kernels CUDA::cudart_static CUDA::cublas CUDA::cufft ${CUDNN_LIBRARY})
endif()
set(hidden_libraries ${libraries_of_the_kernels}
  PkgConfig::sndfile PkgConfig::mpg123 PkgConfig::soxr PkgConfig::cairo PkgConfig::xxhash PkgConfig::utf8proc
  PkgConfig::taglib)
list(TRANSFORM hidden_libraries REPLACE "(.+)" "$<LINK_ONLY:\\1>")
target_link_libraries(melgrad_library INTERFACE
  fmt::fmt OpenMP::OpenMP_CXX Threads::Threads nlohmann_json::nlohmann_json ${hidden_libraries})

set(package_folder ${CMAKE_INSTALL_LIBDIR}/cmake/melgrad)
install(TARGETS melgrad_library EXPORT melgrad-targets
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT development)
install(EXPORT melgrad-targets NAMESPACE melgrad:: DESTINATION ${package_folder} COMPONENT development)
configure_package_config_file(cmake/melgrad-config.cmake.in ${generated}/melgrad-config.cmake
  INSTALL_DESTINATION ${package_folder} NO_SET_AND_CHECK_MACRO NO_CHECK_REQUIRED_COMPONENTS_MACRO)
# Before 1.0 a new minor version may change the interface.
write_basic_package_version_file(${generated}/melgrad-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${generated}/melgrad-config.cmake ${generated}/melgrad-config-version.cmake
  DESTINATION ${package_folder} COMPONENT development)
install(DIRECTORY kernels framework models DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/melgrad
  COMPONENT development FILES_MATCHING PATTERN "*.h" PATTERN "cudnn" EXCLUDE PATTERN "emulated" EXCLUDE)
install(DIRECTORY docs/examples DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT development)

# The program's dlopen searches this folder.
if(TARGET melgrad_mpi)
  install(TARGETS melgrad_mpi LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT mpi)
endif()

# The program, its manual page and its completions.
install(TARGETS melgrad RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT program)
# install_printed FORM FILE FOLDER: installs the output of `melgrad completion FORM` as FOLDER/FILE.
function(install_printed form file folder)
  add_custom_command(OUTPUT ${generated}/${file} COMMAND melgrad completion ${form} > ${generated}/${file}
    DEPENDS melgrad VERBATIM)
  add_custom_target(melgrad_${form} ALL DEPENDS ${generated}/${file})
  install(FILES ${generated}/${file} DESTINATION ${folder} COMPONENT program)
endfunction()
install_printed(bash melgrad ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
install_printed(zsh _melgrad ${CMAKE_INSTALL_DATADIR}/zsh/vendor-completions)
install_printed(fish melgrad.fish ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)
install_printed(man melgrad.1 ${CMAKE_INSTALL_MANDIR}/man1)
