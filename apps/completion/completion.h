// melgrad completion bash|zsh|fish|man, for packages and for manual installation.
#pragma once

#include "apps/command.h"

namespace melgrad {

Command add_completion(CLI::App& program);

}  // namespace melgrad
