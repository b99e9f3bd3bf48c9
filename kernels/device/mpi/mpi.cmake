# The MPI plug-in, libmelgrad_mpi.so. The program loads it only if a launcher such as mpirun started several processes
# (kernels/device/communicator.h), so that the program itself needs no MPI library.
pkg_check_modules(mpi IMPORTED_TARGET mpi-c)
if(NOT mpi_FOUND)
  message(STATUS "melgrad is built without its MPI plug-in, because no MPI library was found (Debian: libopenmpi-dev)")
  return()
endif()

# Not melgrad_options: its options are those of a program.
add_library(melgrad_mpi MODULE kernels/device/mpi/mpi_communicator.cpp)
target_include_directories(melgrad_mpi PRIVATE ${PROJECT_SOURCE_DIR})
# Without the C++ bindings, which MPI 3 removed.
target_compile_definitions(melgrad_mpi PRIVATE OMPI_SKIP_MPICXX MPICH_SKIP_MPICXX)
target_compile_options(melgrad_mpi PRIVATE -Wall -Wextra -Wpedantic -Wshadow -Wno-missing-field-initializers
  $<$<BOOL:${MELGRAD_WARNINGS_AS_ERRORS}>:-Werror>)
target_link_libraries(melgrad_mpi PRIVATE fmt::fmt-header-only PkgConfig::mpi)
