#include "framework/training/state_dict.h"

#include <cmath>
#include <cstring>
#include <unordered_map>
#include <unordered_set>

namespace melgrad {
namespace {

// Transposes x [a, b, c] to y [a, c, b].
template <class T>
void transpose(const std::byte* x, std::byte* y, int64_t a, int64_t b, int64_t c) {
  const auto* from = reinterpret_cast<const T*>(x);
  auto* to = reinterpret_cast<T*>(y);
  for (int64_t i = 0; i < a; ++i) {
    for (int64_t j = 0; j < b; ++j) {
      for (int64_t k = 0; k < c; ++k) to[(i * c + k) * b + j] = from[(i * b + j) * c + k];
    }
  }
}

void swap_inner(const std::byte* x, std::byte* y, int64_t a, int64_t b, int64_t c, size_t element) {
  element == sizeof(uint16_t) ? transpose<uint16_t>(x, y, a, b, c) : transpose<uint32_t>(x, y, a, b, c);
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
    case DType::float16:
      return "F16";
    case DType::uint64:
      return "I64";  // PyTorch counts batches in int64
    case DType::uint8:
      return "U8";
  }
  return "";
}

}  // namespace

SafeTensor without_values(const Named& named) {
  return {.name = named.name,
          .dtype = file_dtype(named.tensor.dtype()),
          .shape = file_shape(named.tensor.shape()),
          .bytes = {}};
}

void set_values(SafeTensor& tensor, std::vector<std::byte> values) {
  const std::vector<int64_t>& shape = tensor.shape;
  if (shape.size() == 4 && !values.empty()) {
    const size_t element = values.size() / static_cast<size_t>(shape[0] * shape[1] * shape[2] * shape[3]);
    std::vector<std::byte> swapped(values.size());
    swap_inner(values.data(), swapped.data(), shape[0], shape[2] * shape[3], shape[1], element);
    tensor.bytes = SharedBytes(std::move(swapped));
  } else {
    tensor.bytes = SharedBytes(std::move(values));
  }
}

std::vector<SafeTensor> state_dict(const Module& model) {
  std::vector<SafeTensor> result;
  for (const auto& members : {model.parameters(), model.buffers()}) {
    for (const Named& named : members) {
      std::vector<std::byte> values(named.tensor.bytes());
      named.tensor.stream().copy(values.data(), named.tensor.data(), values.size());
      set_values(result.emplace_back(without_values(named)), std::move(values));
    }
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
    const bool on_cpu = target.tensor.device() == Device::cpu;
    const Tensor values = on_cpu ? target.tensor : Tensor::empty(shape, target.tensor.dtype());
    auto* const to = static_cast<std::byte*>(values.data());
    if (shape.rank() == 4) {
      swap_inner(tensor.bytes.data(), to, shape[0], shape[3], shape[1] * shape[2], size_of(target.tensor.dtype()));
    } else {
      std::memcpy(to, tensor.bytes.data(), tensor.bytes.size());
    }
    if (!on_cpu) target.tensor.assign(values);
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

void require_finite_values(const Module& model, const std::string& file) {
  for (const auto& members : {model.parameters(), model.buffers()}) {
    for (const Named& named : members) {
      if (named.tensor.dtype() != DType::float32) continue;
      const bool is_variance = named.name.ends_with("running_var");
      for (const float value : named.tensor.to_vector()) {
        if (!std::isfinite(value)) fail("{}: tensor {} has values that are not finite; train again", file, named.name);
        if (is_variance && value < 0)
          fail("{}: tensor {} has the variance {}, which is negative; train again", file, named.name, value);
      }
    }
  }
}

}  // namespace melgrad
