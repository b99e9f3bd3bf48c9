// Values that PyTorch computed, from tests/fixtures. The head comments of the make_*.py there list what a file holds.
// Its inputs are not stored: random_values() makes them by the formula of tests/fixtures/values.py.
#pragma once

#include <cstring>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "framework/io/safetensors.h"
#include "tests/support/paths.h"

namespace melgrad::test {

using Json = nlohmann::json;

class Fixture {
 public:
  explicit Fixture(const std::string& name) {
    SafeTensors file = read_safetensors(fixtures() / (name + ".safetensors"));
    cases_ = Json::parse(file.metadata.at("cases"));
    for (const SafeTensor& tensor : file.tensors) {
      std::vector<float> values(tensor.bytes.size() / sizeof(float));
      std::memcpy(values.data(), tensor.bytes.data(), tensor.bytes.size());
      arrays_[tensor.name] = std::move(values);
    }
  }

  const Json& cases() const { return cases_; }
  const std::vector<float>& operator[](const std::string& name) const { return arrays_.at(name); }

  // The <what> of all arrays named "<owner>/<what>".
  std::set<std::string> names_of(const std::string& owner) const {
    std::set<std::string> result;
    for (auto array = arrays_.lower_bound(owner + "/"); array != arrays_.end(); ++array) {
      if (!array->first.starts_with(owner + "/")) break;
      result.insert(array->first.substr(owner.size() + 1));
    }
    return result;
  }

 private:
  Json cases_;
  std::map<std::string, std::vector<float>> arrays_;
};

}  // namespace melgrad::test
