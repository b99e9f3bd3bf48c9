#include "apps/report/template_data.h"

#include <fmt/format.h>

#include <cmath>
#include <cstdint>
#include <kainjow/mustache.hpp>

#include "framework/terminal/text.h"
#include "kernels/device/error.h"

namespace melgrad {
namespace {

using nlohmann::json;

kainjow::mustache::data to_mustache(const json& value) {
  using kainjow::mustache::data;
  if (value.is_object() && value.size() == 1 && value.contains("html")) return value["html"].get<std::string>();
  if (value.is_object()) {
    data object{data::type::object};
    for (const auto& [key, member] : value.items()) object.set(key, to_mustache(member));
    return object;
  }
  if (value.is_array()) {
    data list{data::type::list};
    for (const json& element : value) list.push_back(to_mustache(element));
    return list;
  }
  if (value.is_boolean()) return value.get<bool>() ? data::type::bool_true : data::type::bool_false;
  return one_line(value.is_string() ? value.get<std::string>() : value.dump());
}

// With a minus sign.
std::string signed_percent(double difference) {
  const std::string size = fmt::format("{:.1f}", std::abs(100 * difference));
  return size == "0.0" ? size : (difference < 0 ? "−" : "+") + size;
}

}  // namespace

json html(std::string text) { return {{"html", std::move(text)}}; }

std::string render_template(const std::string& page_template, const json& data) {
  kainjow::mustache::mustache renderer{page_template};
  MELGRAD_CHECK(renderer.is_valid(), "the template of the report: {}", renderer.error_message());
  return renderer.render(to_mustache(data));
}

void FactList::add(const std::string& key, const std::string& value) {
  facts_.push_back({{"key", key}, {"value", value}});
}

std::string percent(double share) { return fmt::format("{:.1f} %", 100 * share); }
std::string interval_text(const Accuracy& accuracy) {
  return fmt::format("{:.1f} to {:.1f}", 100 * accuracy.low, 100 * accuracy.high);
}
std::string score(double value) { return fmt::format("{:.3f}", value); }
std::string signed_points(const Accuracy& difference) {
  return fmt::format("{} points ({} to {})", signed_percent(difference.value), signed_percent(difference.low),
                     signed_percent(difference.high));
}
std::string time_text(double seconds) {
  if (seconds < 60) return fmt::format("{:.1f} s", seconds);
  const auto whole = static_cast<int64_t>(std::llround(seconds));
  return whole < 3600 ? fmt::format("{} min {} s", whole / 60, whole % 60)
                      : fmt::format("{} h {} min", whole / 3600, whole / 60 % 60);
}

}  // namespace melgrad
