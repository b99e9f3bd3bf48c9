#include "framework/io/csv.h"

#include <algorithm>
#include <array>

#include "kernels/device/error.h"

namespace melgrad {
namespace {

class CsvReader {
 public:
  CsvReader(std::string_view text, std::string_view name, char separator)
      : text_(text), name_(name), separator_(separator) {}

  std::vector<CsvRow> rows() {
    std::vector<CsvRow> rows;
    while (!text_.empty()) {
      CsvRow row = read_row();
      const bool blank = row.fields.size() == 1 && row.fields.front().empty();
      if (!blank) rows.push_back(std::move(row));
    }
    return rows;
  }

 private:
  CsvRow read_row() {
    CsvRow row{line_, {}};
    do {
      row.fields.push_back(is_quoted() ? read_quoted() : read_plain());
    } while (take({&separator_, 1}));
    if (!take("\r\n") && !take("\n") && !text_.empty()) {
      fail("{}:{}: text follows a closing quote; double the quotes inside a quoted field", name_, line_);
    }
    ++line_;
    return row;
  }

  bool is_blank(char byte) const { return (byte == ' ' || byte == '\t') && byte != separator_; }

  void skip_blanks() {
    while (!text_.empty() && is_blank(text_.front())) text_.remove_prefix(1);
  }

  bool is_quoted() const {
    const auto first = std::ranges::find_if_not(text_, [this](char byte) { return is_blank(byte); });
    return first != text_.end() && *first == '"';
  }

  std::string read_plain() {
    const char ends[] = {separator_, '\n'};
    size_t length = std::min(text_.find_first_of({ends, 2}), text_.size());
    if (length > 0 && length < text_.size() && text_[length] == '\n' && text_[length - 1] == '\r') --length;
    std::string field(text_.substr(0, length));
    text_.remove_prefix(length);
    return field;
  }

  std::string read_quoted() {
    const size_t opened = line_;
    std::string field;
    skip_blanks();
    text_.remove_prefix(1);
    while (true) {
      const size_t length = text_.find('"');
      if (length == std::string_view::npos) fail("{}:{}: a quote is opened but never closed", name_, opened);
      const std::string_view part = text_.substr(0, length);
      for (const char byte : part) line_ += byte == '\n';
      field += part;
      text_.remove_prefix(length + 1);
      if (!take("\"")) break;
      field += '"';
    }
    skip_blanks();
    return field;
  }

  bool take(std::string_view expected) {
    if (!text_.starts_with(expected)) return false;
    text_.remove_prefix(expected.size());
    return true;
  }

  std::string_view text_, name_;
  char separator_;
  size_t line_ = 1;
};

}  // namespace

std::vector<CsvRow> parse_csv(std::string_view text, std::string_view name, char separator) {
  if (text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF")) fail("{} is UTF-16; save it as UTF-8", name);
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  return CsvReader(text, name, separator).rows();
}

char find_separator(std::string_view text) {
  constexpr std::string_view candidates = ",;\t|";
  std::array<size_t, candidates.size()> counts{};
  bool quoted = false;
  for (const char byte : text.substr(0, text.find('\n'))) {
    if (byte == '"') quoted = !quoted;
    const size_t candidate = candidates.find(byte);
    if (!quoted && candidate != std::string_view::npos) ++counts[candidate];
  }
  return candidates[static_cast<size_t>(std::ranges::max_element(counts) - counts.begin())];
}

}  // namespace melgrad
