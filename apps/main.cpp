#include "apps/command_line.h"

int main(int argc, char** argv) { return melgrad::run_command_line(argc, argv); }
