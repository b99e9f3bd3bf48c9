# What release builds are hardened with; docs/security.md lists it and Hardening.Program checks it. Sanitizers do more,
# and do not go with _FORTIFY_SOURCE.
option(MELGRAD_HARDEN "Compile and link with hardening flags" ON)
if(NOT MELGRAD_HARDEN OR MELGRAD_SANITIZE)
  return()
endif()

# The C library refuses to fortify code that is not optimised. Some compilers bring a level of their own.
set(optimised $<AND:$<COMPILE_LANGUAGE:CXX>,$<CONFIG:Release,RelWithDebInfo,MinSizeRel>>)
target_compile_options(melgrad_options INTERFACE
  "$<${optimised}:-U_FORTIFY_SOURCE;-D_FORTIFY_SOURCE=3>"
  "$<$<COMPILE_LANGUAGE:CXX>:-fPIE;-fstack-protector-strong;-fstack-clash-protection>")
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  target_compile_options(melgrad_options INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-fcf-protection>)
endif()
target_link_options(melgrad_options INTERFACE -pie -Wl,-z,relro,-z,now)
