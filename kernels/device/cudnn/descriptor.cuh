// cuDNN's backend descriptors: opaque objects that are created, receive attributes one by one, are finalised, and can
// then only be read. NVIDIA's "cuDNN Backend API" documents the attributes.
#pragma once

#include <cudnn_backend.h>

#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "kernels/device/error.h"

static_assert(CUDNN_VERSION >= 90800, "cuDNN 9.8 or newer is needed");

namespace melgrad::kernel::cudnn {

// The innermost reason in cuDNN's trace of the last failure on this thread.
std::string last_reason();

// `what`, the status and cuDNN's reason, in one line.
std::string explain(cudnnStatus_t status, const char* what);
// Throws Error(explain(status, what)) unless the status is success.
void check(cudnnStatus_t status, const char* what);

// cuDNN's constant for an attribute of type T.
template <class T>
constexpr cudnnBackendAttributeType_t attribute_type() {
  if constexpr (std::is_same_v<T, int64_t>) return CUDNN_TYPE_INT64;
  if constexpr (std::is_same_v<T, bool>) return CUDNN_TYPE_BOOLEAN;
  if constexpr (std::is_same_v<T, float>) return CUDNN_TYPE_FLOAT;
  if constexpr (std::is_same_v<T, char>) return CUDNN_TYPE_CHAR;
  if constexpr (std::is_same_v<T, void*>) return CUDNN_TYPE_VOID_PTR;
  if constexpr (std::is_same_v<T, cudnnHandle_t>) return CUDNN_TYPE_HANDLE;
  if constexpr (std::is_same_v<T, cudnnDataType_t>) return CUDNN_TYPE_DATA_TYPE;
  if constexpr (std::is_same_v<T, cudnnConvolutionMode_t>) return CUDNN_TYPE_CONVOLUTION_MODE;
  if constexpr (std::is_same_v<T, cudnnBackendHeurMode_t>) return CUDNN_TYPE_HEUR_MODE;
  if constexpr (std::is_same_v<T, cudnnBackendKnobType_t>) return CUDNN_TYPE_KNOB_TYPE;
  if constexpr (std::is_same_v<T, cudnnBackendNumericalNote_t>) return CUDNN_TYPE_NUMERICAL_NOTE;
  if constexpr (std::is_same_v<T, cudnnBackendBehaviorNote_t>) return CUDNN_TYPE_BEHAVIOR_NOTE;
}

class Descriptor {
 public:
  explicit Descriptor(cudnnBackendDescriptorType_t type);
  ~Descriptor();
  Descriptor(Descriptor&& other) noexcept : raw_(std::exchange(other.raw_, nullptr)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(raw_, other.raw_);
    return *this;
  }

  template <class T>
  void set(cudnnBackendAttributeName_t name, const std::vector<T>& values) {
    set(name, attribute_type<T>(), static_cast<int64_t>(values.size()), values.data());
  }
  template <class T>
  void set(cudnnBackendAttributeName_t name, const T& value) {
    set(name, attribute_type<T>(), 1, &value);
  }
  void set(cudnnBackendAttributeName_t name, const Descriptor& value);
  void set(cudnnBackendAttributeName_t name, const std::vector<Descriptor>& values);

  // `what` names the descriptor in an error.
  void finalize(const char* what);

  // The values of an attribute, at most `most`. For some attributes, cuDNN reports the number only together with the
  // values.
  template <class T>
  std::vector<T> get_all(cudnnBackendAttributeName_t name, size_t most) const {
    std::vector<T> values(most);
    values.resize(get(name, attribute_type<T>(), most, values.data()));
    return values;
  }
  template <class T>
  T get(cudnnBackendAttributeName_t name) const {
    T value{};
    get(name, attribute_type<T>(), 1, &value);
    return value;
  }
  // The same for an attribute whose values are descriptors of one type.
  std::vector<Descriptor> get_descriptors(cudnnBackendAttributeName_t name, cudnnBackendDescriptorType_t type,
                                          size_t most) const;

  cudnnBackendDescriptor_t raw() const { return raw_; }

 private:
  void set(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type, int64_t count, const void* values);
  size_t get(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type, size_t most, void* values) const;

  cudnnBackendDescriptor_t raw_ = nullptr;
};

}  // namespace melgrad::kernel::cudnn
