# Hardening flags of builds without sanitizers; docs/security.md lists them and the test Hardening.Program checks them.
# Sanitizers check more and do not work with _FORTIFY_SOURCE.
option(MELGRAD_HARDEN "Compile and link with hardening flags" ON)
if(NOT MELGRAD_HARDEN OR MELGRAD_SANITIZE)
  return()
endif()

# _FORTIFY_SOURCE needs optimised code. It is undefined first because some compilers predefine another level.
set(optimised $<AND:$<COMPILE_LANGUAGE:CXX>,$<CONFIG:Release,RelWithDebInfo,MinSizeRel>>)
target_compile_options(melgrad_options INTERFACE
  "$<${optimised}:-U_FORTIFY_SOURCE;-D_FORTIFY_SOURCE=3>"
  "$<$<COMPILE_LANGUAGE:CXX>:-fPIE;-fstack-protector-strong;-fstack-clash-protection>")
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  target_compile_options(melgrad_options INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-fcf-protection>)
endif()
target_link_options(melgrad_options INTERFACE -pie -Wl,-z,relro,-z,now)
