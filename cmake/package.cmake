# `cpack --config build/cpu/CPackConfig.cmake` builds the Debian packages melgrad (the program), libmelgrad-dev and, if an
# MPI library was found, melgrad-mpi. Builds with CUDA have no packages, because Debian does not contain the CUDA libraries.
find_program(DPKG_SHLIBDEPS dpkg-shlibdeps)
mark_as_advanced(DPKG_SHLIBDEPS)
if(NOT DPKG_SHLIBDEPS OR MELGRAD_DEVICE STREQUAL "cuda")
  return()
endif()

install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/melgrad RENAME copyright COMPONENT program)
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/libmelgrad-dev RENAME copyright COMPONENT development)

set(CPACK_GENERATOR DEB)
set(CPACK_VERBATIM_VARIABLES ON)
set(CPACK_PACKAGE_NAME melgrad)
set(CPACK_PACKAGE_CONTACT "The melgrad authors <melgrad@users.noreply.example>")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_COMPONENTS_ALL program development)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)

set(CPACK_DEBIAN_PROGRAM_PACKAGE_NAME melgrad)
set(CPACK_DEBIAN_PROGRAM_PACKAGE_SECTION sound)
# The font of the pictures.
set(CPACK_DEBIAN_PROGRAM_PACKAGE_DEPENDS fonts-dejavu-core)
set(CPACK_COMPONENT_PROGRAM_DESCRIPTION "music-genre classifiers, trained from the command line
Turns a folder of music into a genre classifier: computes log-mel spectrograms,
trains convolutional networks on them, evaluates them on held-out tracks and
predicts the genre of audio files. Needs a processor with AVX2 and FMA.")

set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_NAME libmelgrad-dev)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS "libdnnl-dev, ocl-icd-opencl-dev, libfmt-dev, nlohmann-json3-dev, \
pkg-config, libsndfile1-dev (>= 1.1), libmpg123-dev, libsoxr-dev, libcairo2-dev, libxxhash-dev, libutf8proc-dev, \
libtag1-dev")
set(CPACK_COMPONENT_DEVELOPMENT_DESCRIPTION "deep-learning framework of melgrad, static library
Tensors, autograd, layers, optimizers, log-mel features and a trainer in C++20,
with a CMake package and example projects.")
if(TARGET melgrad_mpi)
  install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/melgrad-mpi RENAME copyright COMPONENT mpi)
  list(APPEND CPACK_COMPONENTS_ALL mpi)
  set(CPACK_DEBIAN_MPI_PACKAGE_NAME melgrad-mpi)
  set(CPACK_DEBIAN_MPI_PACKAGE_SECTION sound)
  set(CPACK_DEBIAN_MPI_PACKAGE_DEPENDS "melgrad (= ${PROJECT_VERSION})")
  set(CPACK_COMPONENT_MPI_DESCRIPTION "training by several processes of melgrad
Plug-in that melgrad train loads when mpirun or srun starts several processes,
on one machine or on many.")
endif()
include(CPack)
