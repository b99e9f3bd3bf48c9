# embed_files(HEADER NAME FILE [NAME FILE]...): writes a header that defines each NAME as the text of FILE. A change of a
# file configures again.
function(embed_files header)
  set(lines "#pragma once\n")
  while(ARGN)
    list(POP_FRONT ARGN name file)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file})
    file(READ ${file} text)
    string(APPEND lines "inline constexpr const char* ${name} = R\"embedded(${text})embedded\";\n")
  endwhile()
  file(CONFIGURE OUTPUT ${header} CONTENT "@lines@" @ONLY)
endfunction()
