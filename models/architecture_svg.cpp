#include <fmt/format.h>

#include <string_view>

#include "framework/io/html.h"
#include "models/architecture.h"

namespace melgrad {
namespace {

// A box of the drawing: layers that follow each other, or a block with a shortcut around it.
struct Box {
  std::string first_name, last_name;
  std::vector<std::string> layers, shortcut;  // an empty shortcut of a block is the identity
  bool is_block = false;
  int times = 1;
  Shape output;
  int64_t parameters = 0;

  bool equals(const Box& other) const {
    return is_block && other.is_block && layers == other.layers && shortcut == other.shortcut &&
           output == other.output && parameters == other.parameters;
  }
};

std::string layer_text(const ArchitectureNode& leaf) {
  return leaf.description + (leaf.fused == Fused::relu ? ", ReLU" : "");
}

bool is_block(const ArchitectureNode& node) {
  for (const ArchitectureNode& part : node.parts) {
    if (part.fused == Fused::shortcut_and_relu) return true;
  }
  return false;
}

Box block_of(const ArchitectureNode& node) {
  Box box{.first_name = node.name,
          .last_name = node.name,
          .is_block = true,
          .output = node.output,
          .parameters = node.parameters};
  for (const ArchitectureNode& part : node.parts) {
    if (part.parts.empty()) box.layers.push_back(layer_text(part));
    for (const ArchitectureNode& leaf : part.parts) box.shortcut.push_back(layer_text(leaf));
  }
  return box;
}

// A convolution or a linear layer begins a new box.
bool begins_box(const ArchitectureNode& leaf) {
  return leaf.description.starts_with("Conv2d") || leaf.description.starts_with("Linear") ||
         leaf.description.starts_with("AdaptiveAvgPool2d");
}

void collect_boxes(const ArchitectureNode& node, std::vector<Box>& boxes) {
  for (const ArchitectureNode& part : node.parts) {
    if (is_block(part)) {
      const Box box = block_of(part);
      if (!boxes.empty() && boxes.back().equals(box)) {
        ++boxes.back().times;
        boxes.back().last_name = box.last_name;
      } else {
        boxes.push_back(box);
      }
    } else if (!part.parts.empty()) {
      collect_boxes(part, boxes);
    } else {
      if (boxes.empty() || boxes.back().is_block || begins_box(part)) boxes.push_back({.first_name = part.name});
      Box& box = boxes.back();
      box.last_name = part.name;
      box.layers.push_back(layer_text(part));
      box.output = part.output;
      box.parameters += part.parameters;
    }
  }
}

std::string thousands(int64_t number) {
  const std::string digits = std::to_string(number);
  std::string text;
  for (size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0) text += ',';
    text += digits[i];
  }
  return text;
}

// "64 x 128 x 16": height, width and channels, or "128": features.
std::string shape_text(const Shape& shape) {
  std::vector<int64_t> sizes(shape.begin() + 1, shape.end());
  return fmt::format("{}", fmt::join(sizes, " × "));
}

constexpr double page_width = 400, box_x = 12, box_width = 244, line_height = 17, padding = 9, gap = 34;
constexpr double middle = box_x + box_width / 2, shortcut_x = box_x + box_width + 20;

class Drawing {
 public:
  void text(double x, double y, std::string_view kind, std::string_view words) {
    body_ += fmt::format("<text x=\"{:g}\" y=\"{:g}\" class=\"{}\">{}</text>\n", x, y, kind, html_escaped(words));
  }
  void rectangle(double x, double y, double width, double height, std::string_view kind) {
    body_ += fmt::format("<rect x=\"{:g}\" y=\"{:g}\" width=\"{:g}\" height=\"{:g}\" rx=\"5\" class=\"{}\"/>\n", x, y,
                         width, height, kind);
  }
  void arrow(const std::string& path, std::string_view kind = "arrow") {
    body_ += fmt::format("<path d=\"{}\" class=\"{}\"/>\n", path, kind);
  }
  // A triangle that points down, or to the left, at (x, y).
  void head_down(double x, double y) { arrow(fmt::format("M{:g} {:g}l-4 -7h8z", x, y), "head"); }
  void head_left(double x, double y) { arrow(fmt::format("M{:g} {:g}l7 -4v8z", x, y), "head"); }
  void circle(double x, double y, double radius) {
    body_ += fmt::format("<circle cx=\"{:g}\" cy=\"{:g}\" r=\"{:g}\" class=\"block\"/>\n", x, y, radius);
  }
  const std::string& body() const { return body_; }

 private:
  std::string body_;
};

// Draws the arrow into the next box, with the shape of what flows along it. Returns the y of its end.
double draw_flow(Drawing& drawing, double y, const Shape& shape) {
  drawing.arrow(fmt::format("M{:g} {:g}V{:g}", middle, y, y + gap - 6));
  drawing.head_down(middle, y + gap);
  drawing.text(middle - 10, y + gap / 2 + 3, "shape", shape_text(shape));
  return y + gap;
}

// The words of a layer in lines that fit beside the arrow of a shortcut.
std::vector<std::string> shortcut_lines(const Box& box) {
  if (box.shortcut.empty()) return {"identity"};
  std::vector<std::string> lines;
  for (const std::string& layer : box.shortcut) {
    const size_t comma = layer.find(", ");
    lines.push_back(layer.substr(0, comma == std::string::npos ? comma : comma + 1));
    if (comma != std::string::npos) lines.push_back(layer.substr(comma + 2));
  }
  return lines;
}

// Draws the sum below a block and the arrow around the block from `fork` to it. Returns the y of its end.
double draw_shortcut(Drawing& drawing, const Box& box, double fork, double bottom) {
  constexpr double radius = 9;
  const double sum = bottom + 14 + radius;
  drawing.arrow(fmt::format("M{:g} {:g}V{:g}", middle, bottom, sum - radius));
  drawing.circle(middle, sum, radius);
  drawing.arrow(fmt::format("M{:g} {:g}h10m-5 -5v10", middle - 5, sum));
  drawing.arrow(fmt::format("M{:g} {:g}H{:g}V{:g}H{:g}", middle, fork, shortcut_x, sum, middle + radius + 6),
                "shortcut");
  drawing.head_left(middle + radius, sum);
  drawing.text(middle - radius - 7, sum + 4, "shape", "sum, ReLU");
  const std::vector<std::string> lines = shortcut_lines(box);
  double y = (fork + sum) / 2 - line_height * static_cast<double>(lines.size() - 1) / 2 + 4;
  for (const std::string& line : lines) {
    drawing.text(shortcut_x + 7, y, "small", line);
    y += line_height - 2;
  }
  return sum + radius;
}

double draw_box(Drawing& drawing, const Box& box, double fork, double y) {
  const double height = line_height * static_cast<double>(box.layers.size() + 1) + 2 * padding - 3;
  if (box.times > 1) {  // the edge of a second box behind it
    drawing.arrow(fmt::format("M{:g} {:g}h5V{:g}H{:g}v-5", box_x + box_width, y + 5, y + height + 5, box_x + 5),
                  "edge");
  }
  drawing.rectangle(box_x, y, box_width, height, box.is_block ? "block" : "layer");
  double line = y + padding + 11;
  const std::string names = box.first_name == box.last_name ? box.first_name : box.first_name + " – " + box.last_name;
  drawing.text(box_x + padding, line, "name", names);
  const std::string note = box.times > 1    ? fmt::format("{} blocks × {}", box.times, thousands(box.parameters))
                           : box.parameters ? thousands(box.parameters)
                                            : "";
  drawing.text(box_x + box_width - padding, line, "note", note);
  for (const std::string& layer : box.layers) {
    line += line_height;
    drawing.text(box_x + padding, line, "words", layer);
  }
  const double bottom = y + height + (box.times > 1 ? 5 : 0);
  return box.is_block ? draw_shortcut(drawing, box, fork, bottom) : bottom;
}

constexpr std::string_view style = R"(
.architecture { font-family: system-ui, "DejaVu Sans", sans-serif; color: #1b1e23; }
.architecture text { fill: currentColor; font-size: 12px; }
.architecture .title { font-size: 14px; font-weight: 600; }
.architecture .name { font-weight: 600; }
.architecture .note, .architecture .shape, .architecture .small { font-size: 11px; opacity: .75; }
.architecture .note, .architecture .shape { text-anchor: end; }
.architecture .layer { fill: #4c78a8; fill-opacity: .13; stroke: #4c78a8; }
.architecture .block { fill: #e58606; fill-opacity: .14; stroke: #c47305; }
.architecture .edge { fill: none; stroke: #c47305; }
.architecture .arrow { fill: none; stroke: currentColor; }
.architecture .shortcut { fill: none; stroke: #c47305; stroke-width: 1.6; }
.architecture .head { fill: currentColor; }
)";

}  // namespace

std::string architecture_svg(const ArchitectureNode& model, const std::string& title, const Shape& input,
                             bool standalone) {
  std::vector<Box> boxes;
  collect_boxes(model, boxes);
  Drawing drawing;
  drawing.text(box_x, 20, "title", title);
  drawing.text(box_x, 38, "small",
               fmt::format("{} parameters; shapes are height × width × channels", thousands(model.parameters)));
  double y = 46;
  Shape shape = input;
  for (const Box& box : boxes) {
    const double fork = y + gap - 14;
    y = draw_box(drawing, box, fork, draw_flow(drawing, y, shape));
    shape = box.output;
  }
  y = draw_flow(drawing, y, shape);
  drawing.text(middle - 20, y + 15, "words", "logits");
  const double height = y + 26;
  const std::string size =
      standalone ? fmt::format(" width=\"{:g}\" height=\"{:g}\"", page_width * 1.5, height * 1.5) : "";
  return fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"architecture\" viewBox=\"0 0 {:g} {:g}\"{} role=\"img\" "
      "aria-label=\"Architecture of {}\">\n<style>{}</style>\n{}{}</svg>\n",
      page_width, height, size, html_escaped(title), style,
      standalone ? "<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n" : "", drawing.body());
}

}  // namespace melgrad
