#include "apps/command_line.h"
#include "apps/crash_line.h"
#include "apps/process.h"

int main(int argc, char** argv) {
  melgrad::prepare_process();
  melgrad::report_crashes();
  return melgrad::run_command_line(argc, argv);
}
