// Descriptions of chips (tests/fixtures/chips), for which cuDNN makes plans without a GPU.
#pragma once

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <string>

#include "kernels/device/cudnn/graph.cuh"

namespace melgrad::test {

inline kernel::cudnn::Target chip(const std::string& name) {
  std::ifstream file(std::string(FIXTURES) + "/chips/" + name + ".json");
  return kernel::cudnn::Target::described_by({std::istreambuf_iterator<char>(file), {}});
}

class ChipTest : public testing::Test {
 protected:
  void SetUp() override {
    if (CUDNN_VERSION < 91100) GTEST_SKIP() << "cuDNN makes plans without a GPU from 9.11 on";
  }
};

// A convolution of the second stage of ResNet-18 for clips of three seconds.
constexpr kernel::Conv2d typical_convolution{64, 16, 17, 128, 128, 3, 3, 1, 1};

}  // namespace melgrad::test
