// Writes models in the ONNX format (github.com/onnx/onnx, onnx/onnx.proto): a graph of operators with their weights, as
// protobuf messages. IR version 8, operator set 17.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace melgrad {

inline constexpr int64_t onnx_opset = 17;

struct OnnxAttribute {
  std::string name;
  std::variant<int64_t, std::vector<int64_t>, float> value;
};

struct OnnxNode {
  std::string op;  // an operator of the default domain: "Conv"
  std::vector<std::string> inputs, outputs;
  std::vector<OnnxAttribute> attributes;
};

// Constants of the graph, row-major: float32 or int64.
struct OnnxTensor {
  std::string name;
  std::vector<int64_t> shape;  // empty: a single element
  std::variant<std::vector<float>, std::vector<int64_t>> values;
};

// A float32 input or output of the graph.
struct OnnxValue {
  std::string name;
  std::vector<std::variant<int64_t, std::string>> shape;  // a name stands for any length
  std::string description;
};

// "float32 [batch, 10]: DESCRIPTION"
std::string layout_and_description(const OnnxValue& value);

struct OnnxModel {
  std::string name, version;  // of the graph; of the program that wrote it
  std::string description;
  std::map<std::string, std::string> metadata;
  std::vector<OnnxNode> nodes;  // in an order in which they can run
  std::vector<OnnxTensor> tensors;
  std::vector<OnnxValue> inputs, outputs;

  // Append a node with one output and return the name of the output: that of the second form is "OP_N", where N counts
  // the nodes.
  std::string add(const std::string& op, std::vector<std::string> operands, std::vector<OnnxAttribute> attributes,
                  std::string output);
  std::string add(const std::string& op, std::vector<std::string> operands, std::vector<OnnxAttribute> attributes = {});
  // Append a constant and return its name.
  std::string constant(std::string tensor_name, std::vector<int64_t> shape, std::vector<float> values);
  std::string constant(std::string tensor_name, std::vector<int64_t> shape, std::vector<int64_t> values);
};

// Writes atomically. Equal models give equal bytes. Returns the number of bytes. Throws Error if the constants take
// 2 GiB or more, the limit of protobuf, and WriteError.
size_t write_onnx(const std::filesystem::path& file, const OnnxModel& model);

}  // namespace melgrad
