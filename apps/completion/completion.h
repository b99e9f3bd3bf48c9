// melgrad completion bash|zsh|fish|man: for packagers, and for those who install by hand.
#pragma once

#include "apps/command.h"

namespace melgrad {

Command add_completion(CLI::App& program);

}  // namespace melgrad
