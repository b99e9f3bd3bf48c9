#include "framework/io/onnx.h"

#include <protozero/pbf_builder.hpp>

#include "framework/io/atomic_file.h"

namespace melgrad {
namespace {

// The messages of onnx.proto with the numbers of the fields that are written.
enum class ModelField : protozero::pbf_tag_type {
  ir_version = 1,
  producer_name = 2,
  producer_version = 3,
  doc_string = 6,
  graph = 7,
  opset_import = 8,
  metadata_props = 14
};
enum class EntryField : protozero::pbf_tag_type { key = 1, value = 2 };
enum class OpsetField : protozero::pbf_tag_type { domain = 1, version = 2 };
enum class GraphField : protozero::pbf_tag_type { node = 1, name = 2, initializer = 5, input = 11, output = 12 };
enum class NodeField : protozero::pbf_tag_type { input = 1, output = 2, name = 3, op_type = 4, attribute = 5 };
enum class AttributeField : protozero::pbf_tag_type { name = 1, f = 2, i = 3, ints = 8, type = 20 };
enum class TensorField : protozero::pbf_tag_type { dims = 1, data_type = 2, name = 8, raw_data = 9 };
enum class ValueInfoField : protozero::pbf_tag_type { name = 1, type = 2, doc_string = 3 };
enum class TypeField : protozero::pbf_tag_type { tensor_type = 1 };
enum class TensorTypeField : protozero::pbf_tag_type { elem_type = 1, shape = 2 };
enum class ShapeField : protozero::pbf_tag_type { dim = 1 };
enum class DimensionField : protozero::pbf_tag_type { dim_value = 1, dim_param = 2 };

constexpr int64_t ir_version = 8;                                              // the first with opset 17
constexpr int32_t float_attribute = 1, int_attribute = 2, ints_attribute = 7;  // AttributeProto.AttributeType
constexpr int32_t float_elements = 1, int64_elements = 7;                      // TensorProto.DataType

template <class Field>
using Message = protozero::pbf_builder<Field>;

void write(Message<AttributeField> message, const OnnxAttribute& attribute) {
  message.add_string(AttributeField::name, attribute.name);
  if (const auto* whole = std::get_if<int64_t>(&attribute.value)) {
    message.add_int64(AttributeField::i, *whole);
    message.add_enum(AttributeField::type, int_attribute);
  } else if (const auto* real = std::get_if<float>(&attribute.value)) {
    message.add_float(AttributeField::f, *real);
    message.add_enum(AttributeField::type, float_attribute);
  } else {
    for (const int64_t element : std::get<std::vector<int64_t>>(attribute.value)) {
      message.add_int64(AttributeField::ints, element);
    }
    message.add_enum(AttributeField::type, ints_attribute);
  }
}

void write(Message<NodeField> message, const OnnxNode& node) {
  for (const std::string& input : node.inputs) message.add_string(NodeField::input, input);
  for (const std::string& output : node.outputs) message.add_string(NodeField::output, output);
  message.add_string(NodeField::name, node.outputs.at(0));
  message.add_string(NodeField::op_type, node.op);
  for (const OnnxAttribute& attribute : node.attributes) {
    write(Message<AttributeField>(message, NodeField::attribute), attribute);
  }
}

void write(Message<TensorField> message, const OnnxTensor& tensor) {
  for (const int64_t size : tensor.shape) message.add_int64(TensorField::dims, size);
  message.add_int32(TensorField::data_type, tensor.values.index() == 0 ? float_elements : int64_elements);
  message.add_string(TensorField::name, tensor.name);
  // The elements are little-endian, as on the machines that melgrad runs on.
  std::visit(
      [&](const auto& values) {
        message.add_bytes(TensorField::raw_data, reinterpret_cast<const char*>(values.data()),
                          values.size() * sizeof(values[0]));
      },
      tensor.values);
}

void write(Message<ValueInfoField> message, const OnnxValue& value) {
  message.add_string(ValueInfoField::name, value.name);
  {
    Message<TypeField> type(message, ValueInfoField::type);
    Message<TensorTypeField> tensor(type, TypeField::tensor_type);
    tensor.add_int32(TensorTypeField::elem_type, float_elements);
    Message<ShapeField> shape(tensor, TensorTypeField::shape);
    for (const auto& size : value.shape) {
      Message<DimensionField> dimension(shape, ShapeField::dim);
      if (const auto* length = std::get_if<int64_t>(&size)) {
        dimension.add_int64(DimensionField::dim_value, *length);
      } else {
        dimension.add_string(DimensionField::dim_param, std::get<std::string>(size));
      }
    }
  }
  message.add_string(ValueInfoField::doc_string, value.description);
}

void write(Message<GraphField> message, const OnnxModel& model) {
  for (const OnnxNode& node : model.nodes) write(Message<NodeField>(message, GraphField::node), node);
  message.add_string(GraphField::name, model.name);
  for (const OnnxTensor& tensor : model.tensors) write(Message<TensorField>(message, GraphField::initializer), tensor);
  for (const OnnxValue& value : model.inputs) write(Message<ValueInfoField>(message, GraphField::input), value);
  for (const OnnxValue& value : model.outputs) write(Message<ValueInfoField>(message, GraphField::output), value);
}

// Protobuf counts the bytes of a message in 31 bits. The rest of the file is far smaller than the constants.
void require_size_of_protobuf(const OnnxModel& model, const std::string& file) {
  constexpr size_t most = (size_t{1} << 31) - (size_t{16} << 20);
  size_t bytes = 0;
  for (const OnnxTensor& tensor : model.tensors) {
    bytes += std::visit([](const auto& values) { return values.size() * sizeof(values[0]); }, tensor.values);
  }
  if (bytes > most) {
    fail("{}: the constants of the graph take {} MiB; an ONNX file can hold {} MiB", file, bytes >> 20, most >> 20);
  }
}

}  // namespace

std::string OnnxModel::add(const std::string& op, std::vector<std::string> operands,
                           std::vector<OnnxAttribute> attributes, std::string output) {
  nodes.push_back(
      {.op = op, .inputs = std::move(operands), .outputs = {std::move(output)}, .attributes = std::move(attributes)});
  return nodes.back().outputs[0];
}

std::string layout_and_description(const OnnxValue& value) {
  std::vector<std::string> sizes;
  for (const auto& size : value.shape) {
    const auto* length = std::get_if<int64_t>(&size);
    sizes.push_back(length ? std::to_string(*length) : std::get<std::string>(size));
  }
  return fmt::format("float32 [{}]: {}", fmt::join(sizes, ", "), value.description);
}

std::string OnnxModel::add(const std::string& op, std::vector<std::string> operands,
                           std::vector<OnnxAttribute> attributes) {
  return add(op, std::move(operands), std::move(attributes), op + "_" + std::to_string(nodes.size()));
}

std::string OnnxModel::constant(std::string tensor_name, std::vector<int64_t> shape, std::vector<float> values) {
  tensors.push_back({.name = std::move(tensor_name), .shape = std::move(shape), .values = std::move(values)});
  return tensors.back().name;
}

std::string OnnxModel::constant(std::string tensor_name, std::vector<int64_t> shape, std::vector<int64_t> values) {
  tensors.push_back({.name = std::move(tensor_name), .shape = std::move(shape), .values = std::move(values)});
  return tensors.back().name;
}

size_t write_onnx(const std::filesystem::path& file, const OnnxModel& model) {
  require_size_of_protobuf(model, file.string());
  std::string bytes;
  Message<ModelField> message(bytes);
  message.add_int64(ModelField::ir_version, ir_version);
  message.add_string(ModelField::producer_name, "melgrad");
  message.add_string(ModelField::producer_version, model.version);
  message.add_string(ModelField::doc_string, model.description);
  write(Message<GraphField>(message, ModelField::graph), model);
  {
    Message<OpsetField> opset(message, ModelField::opset_import);
    opset.add_string(OpsetField::domain, "");
    opset.add_int64(OpsetField::version, onnx_opset);
  }
  for (const auto& [key, value] : model.metadata) {
    Message<EntryField> entry(message, ModelField::metadata_props);
    entry.add_string(EntryField::key, key);
    entry.add_string(EntryField::value, value);
  }
  write_file_atomically(file, bytes);
  return bytes.size();
}

}  // namespace melgrad
