// The data of the report's template: a JSON value whose texts are escaped, and numbers as text.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "framework/training/metrics.h"

namespace melgrad {

// A text that is put into the page as it is. The template has all other texts escaped.
nlohmann::json html(std::string text);

// Fills a mustache template. Throws Error if the template is not valid.
std::string render_template(const std::string& page_template, const nlohmann::json& data);

// Rows of two columns.
class FactList {
 public:
  void add(const std::string& key, const std::string& value);
  nlohmann::json take() { return std::move(facts_); }

 private:
  nlohmann::json facts_ = nlohmann::json::array();
};

std::string percent(double share);                      // "12.3 %"
std::string interval_text(const Accuracy& accuracy);    // "10.1 to 14.5", in percent
std::string score(double value);                        // "0.123"
std::string signed_points(const Accuracy& difference);  // "+1.2 points (−0.3 to +2.7)"
std::string time_text(double seconds);                  // "12.3 s", "1 min 5 s" or "2 h 3 min"

}  // namespace melgrad
