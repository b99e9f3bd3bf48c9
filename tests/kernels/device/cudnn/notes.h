// Notes on stderr.
#pragma once

#include <gtest/gtest.h>

#include <string>

namespace melgrad::test {

// Returns the text that statement() writes to stderr.
template <class Statement>
std::string notes_of(Statement statement) {
  testing::internal::CaptureStderr();
  statement();
  return testing::internal::GetCapturedStderr();
}

}  // namespace melgrad::test
