// Errors are told by their one line: a test expects the words that let a user act on it.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "kernels/device/error.h"

namespace melgrad {

template <class Statement>
void expect_error(Statement statement, const std::string& words) {
  try {
    statement();
    ADD_FAILURE() << "no Error; expected one with: " << words;
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find(words), std::string::npos) << error.what();
  }
}

}  // namespace melgrad
