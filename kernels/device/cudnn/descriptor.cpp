#include "kernels/device/cudnn/descriptor.cuh"

#include <algorithm>
#include <string_view>

namespace melgrad::kernel::cudnn {

std::string last_reason() {
  constexpr std::string_view mark = "Reason: ";
  char trace[4096] = {};
  cudnnGetLastErrorString(trace, sizeof trace);
  std::string_view reason = trace;
  if (const size_t found = reason.find(mark); found != reason.npos) reason.remove_prefix(found + mark.size());
  return std::string(reason.substr(0, reason.find('\n')));
}

std::string explain(cudnnStatus_t status, const char* what) {
  return fmt::format("{}: {}: {}", what, cudnnGetErrorString(status), last_reason());
}

void check(cudnnStatus_t status, const char* what) {
  if (status != CUDNN_STATUS_SUCCESS) throw Error(explain(status, what));
}

Descriptor::Descriptor(cudnnBackendDescriptorType_t type) {
  check(cudnnBackendCreateDescriptor(type, &raw_), "cudnnBackendCreateDescriptor");
}

Descriptor::~Descriptor() {
  if (raw_) cudnnBackendDestroyDescriptor(raw_);
}

void Descriptor::set(cudnnBackendAttributeName_t name, const Descriptor& value) {
  set(name, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &value.raw_);
}

void Descriptor::set(cudnnBackendAttributeName_t name, const std::vector<Descriptor>& values) {
  std::vector<cudnnBackendDescriptor_t> raw;
  for (const Descriptor& value : values) raw.push_back(value.raw_);
  set(name, CUDNN_TYPE_BACKEND_DESCRIPTOR, static_cast<int64_t>(raw.size()), raw.data());
}

void Descriptor::finalize(const char* what) { check(cudnnBackendFinalize(raw_), what); }

std::vector<Descriptor> Descriptor::get_descriptors(cudnnBackendAttributeName_t name, cudnnBackendDescriptorType_t type,
                                                    size_t most) const {
  std::vector<Descriptor> descriptors;
  std::vector<cudnnBackendDescriptor_t> raw;
  for (size_t i = 0; i < most; ++i) raw.push_back(descriptors.emplace_back(type).raw_);
  const size_t written = get(name, CUDNN_TYPE_BACKEND_DESCRIPTOR, most, raw.data());
  descriptors.erase(descriptors.begin() + static_cast<int64_t>(written), descriptors.end());
  return descriptors;
}

void Descriptor::set(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type, int64_t count,
                     const void* values) {
  check(cudnnBackendSetAttribute(raw_, name, type, count, values), "cudnnBackendSetAttribute");
}

size_t Descriptor::get(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type, size_t most,
                       void* values) const {
  int64_t available = 0;
  check(cudnnBackendGetAttribute(raw_, name, type, static_cast<int64_t>(most), &available, values),
        "cudnnBackendGetAttribute");
  return std::min(most, static_cast<size_t>(available));
}

}  // namespace melgrad::kernel::cudnn
