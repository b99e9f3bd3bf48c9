// ONNX files as the ONNX project reads them.
#pragma once

#include <onnx/checker.h>
#include <onnx/shape_inference/implementation.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include "framework/io/atomic_file.h"

namespace melgrad::test {

using OnnxShape = std::vector<int64_t>;  // -1: any length

inline OnnxShape shape_of(const onnx::ValueInfoProto& value) {
  OnnxShape shape;
  for (const auto& size : value.type().tensor_type().shape().dim()) {
    shape.push_back(size.has_dim_value() ? size.dim_value() : -1);
  }
  return shape;
}

class ReadOnnx {
 public:
  // Throws if the file does not follow the format, an operator is used wrongly, or shapes contradict each other.
  explicit ReadOnnx(const std::filesystem::path& file) {
    if (!model.ParseFromString(read_file(file))) throw std::runtime_error("not a protobuf message of onnx.proto");
    onnx::checker::check_model(model);
    const onnx::ShapeInferenceOptions strict(/*check_type_val=*/true, /*strict_mode_val=*/1, /*data_prop_val=*/true);
    onnx::shape_inference::InferShapes(model, onnx::OpSchemaRegistry::Instance(), strict);
    for (const auto& value : model.graph().value_info()) shapes[value.name()] = shape_of(value);
    for (const auto& entry : model.metadata_props()) metadata[entry.key()] = entry.value();
  }

  std::vector<std::string> operators() const {
    std::vector<std::string> result;
    for (const auto& node : model.graph().node()) result.push_back(node.op_type());
    return result;
  }
  const onnx::TensorProto* tensor(const std::string& name) const {
    for (const auto& tensor : model.graph().initializer()) {
      if (tensor.name() == name) return &tensor;
    }
    return nullptr;
  }
  const onnx::NodeProto& node_of(const std::string& output) const {
    for (const auto& node : model.graph().node()) {
      if (std::ranges::count(node.output(), output) > 0) return node;
    }
    throw std::runtime_error("no node gives " + output);
  }

  onnx::ModelProto model;
  std::map<std::string, OnnxShape> shapes;  // of the values between input and output
  std::map<std::string, std::string> metadata;
};

}  // namespace melgrad::test
