# Runs at every build: writes the git commit of the folder SOURCE to HEADER if it changed.
#   cmake -D SOURCE=... -D HEADER=... -P git_commit.cmake
set(commit unknown)
# The folder must be the top of its repository: an archive unpacked inside another project has no commit of its own.
execute_process(COMMAND git -C ${SOURCE} rev-parse --show-toplevel
  OUTPUT_VARIABLE top OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE status)
if(status EQUAL 0 AND top STREQUAL SOURCE)
  execute_process(COMMAND git -C ${SOURCE} describe --always --dirty --abbrev=12 --exclude=*
    OUTPUT_VARIABLE commit OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
endif()
file(CONFIGURE OUTPUT ${HEADER} CONTENT "#define MELGRAD_GIT_COMMIT \"${commit}\"\n")
