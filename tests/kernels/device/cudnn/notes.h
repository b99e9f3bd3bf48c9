// What people are told on stderr.
#pragma once

#include <gtest/gtest.h>

#include <string>

namespace melgrad::test {

// What `statement` writes there.
template <class Statement>
std::string notes_of(Statement statement) {
  testing::internal::CaptureStderr();
  statement();
  return testing::internal::GetCapturedStderr();
}

}  // namespace melgrad::test
