// Errors that a test expects.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "kernels/device/error.h"

namespace melgrad::test {

// The message of the melgrad exception that body() throws; empty if it throws none.
template <class Body>
std::string error_of(Body body) {
  try {
    body();
  } catch (const Exception& error) {
    return error.what();
  }
  return "";
}

// Expects `text` to contain `words`.
inline void expect_contains(const std::string& text, const std::string& words) {
  EXPECT_NE(text.find(words), std::string::npos) << "'" << words << "' is not in '" << text << "'";
}

// Expects body() to throw a melgrad exception whose message is one line that contains `words`.
template <class Body>
void expect_error(Body body, const std::string& words) {
  const std::string message = error_of(body);
  EXPECT_EQ(message.find('\n'), std::string::npos) << message;
  expect_contains(message, words);
}

}  // namespace melgrad::test
