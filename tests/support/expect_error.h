// Expects an exception of melgrad whose line holds the words that let a user act on it.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "kernels/device/error.h"

namespace melgrad {

template <class Statement>
void expect_error(Statement statement, const std::string& words) {
  try {
    statement();
    ADD_FAILURE() << "no exception; expected one with: " << words;
  } catch (const Exception& error) {
    EXPECT_NE(std::string(error.what()).find(words), std::string::npos) << error.what();
  }
}

}  // namespace melgrad
