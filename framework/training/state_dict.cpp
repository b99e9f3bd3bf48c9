#include "framework/training/state_dict.h"

#include <cstring>
#include <unordered_map>
#include <unordered_set>

namespace melgrad {
namespace {

// Transposes x [a, b, c] to [a, c, b].
std::vector<std::byte> swap_inner(std::span<const std::byte> x, int64_t a, int64_t b, int64_t c, size_t element) {
  std::vector<std::byte> y(x.size());
  for (int64_t i = 0; i < a; ++i) {
    for (int64_t j = 0; j < b; ++j) {
      for (int64_t k = 0; k < c; ++k) {
        std::memcpy(&y[static_cast<size_t>((i * c + k) * b + j) * element],
                    &x[static_cast<size_t>((i * b + j) * c + k) * element], element);
      }
    }
  }
  return y;
}

std::vector<int64_t> file_shape(const Shape& shape) {
  if (shape.rank() == 4) return {shape[0], shape[3], shape[1], shape[2]};
  return {shape.begin(), shape.end()};
}

const char* file_dtype(DType dtype) {
  switch (dtype) {
    case DType::float32:
      return "F32";
    case DType::bfloat16:
      return "BF16";
    case DType::uint64:
      return "I64";  // PyTorch counts batches in int64
    case DType::uint8:
      return "U8";
  }
  return "";
}

}  // namespace

SafeTensor to_safe_tensor(const Named& named) {
  const Tensor& tensor = named.tensor;
  const Shape& shape = tensor.shape();
  SafeTensor result{.name = named.name, .dtype = file_dtype(tensor.dtype()), .shape = file_shape(shape), .bytes = {}};
  result.bytes.resize(tensor.bytes());
  tensor.stream().copy(result.bytes.data(), tensor.data(), tensor.bytes());
  tensor.stream().synchronize();
  if (shape.rank() == 4) {
    result.bytes = swap_inner(result.bytes, shape[0], shape[1] * shape[2], shape[3], size_of(tensor.dtype()));
  }
  return result;
}

std::vector<SafeTensor> state_dict(const Module& model) {
  std::vector<SafeTensor> result;
  for (const auto& members : {model.parameters(), model.buffers()}) {
    for (const Named& named : members) result.push_back(to_safe_tensor(named));
  }
  return result;
}

void load_tensors(std::vector<Named> targets, const SafeTensors& source, const std::string& prefix,
                  const std::string& file) {
  std::unordered_map<std::string, const SafeTensor*> by_name;
  for (const SafeTensor& tensor : source.tensors) by_name[tensor.name] = &tensor;
  for (Named& target : targets) {
    const std::string name = prefix + target.name;
    const auto found = by_name.find(name);
    if (found == by_name.end()) fail("{}: tensor {} is missing; the file holds another model", file, name);
    const SafeTensor& tensor = *found->second;
    const Shape& shape = target.tensor.shape();
    if (tensor.dtype != file_dtype(target.tensor.dtype()) || tensor.shape != file_shape(shape)) {
      fail("{}: tensor {} is {} [{}], the model needs {} [{}]", file, name, tensor.dtype, fmt::join(tensor.shape, ", "),
           file_dtype(target.tensor.dtype()), fmt::join(file_shape(shape), ", "));
    }
    std::vector<std::byte> bytes = tensor.bytes;
    if (shape.rank() == 4) {
      bytes = swap_inner(bytes, shape[0], shape[3], shape[1] * shape[2], size_of(target.tensor.dtype()));
    }
    const Tensor values = Tensor::empty(shape, target.tensor.dtype());
    std::memcpy(values.data(), bytes.data(), bytes.size());
    target.tensor.assign(values);
  }
}

void load_state_dict(const Module& model, const SafeTensors& source, const std::string& ignored_prefix,
                     const std::string& file) {
  std::unordered_set<std::string> known;
  for (const auto& members : {model.parameters(), model.buffers()}) {
    for (const Named& named : members) known.insert(named.name);
    load_tensors(members, source, "", file);
  }
  for (const SafeTensor& tensor : source.tensors) {
    const bool ignored = !ignored_prefix.empty() && tensor.name.starts_with(ignored_prefix);
    if (!ignored && !known.contains(tensor.name)) fail("{}: the model has no tensor {}", file, tensor.name);
  }
}

}  // namespace melgrad
