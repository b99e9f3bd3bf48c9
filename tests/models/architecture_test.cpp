#include "models/architecture.h"

#include <gtest/gtest.h>

#include "models/models.h"
#include "tests/support/errors.h"
#include "tests/support/html_check.h"

namespace melgrad::test {
namespace {

std::vector<int64_t> sizes(const Shape& shape) { return {shape.begin(), shape.end()}; }

size_t count_of(const std::string& words, const std::string& text) {
  size_t count = 0;
  for (size_t at = text.find(words); at != std::string::npos; at = text.find(words, at + 1)) ++count;
  return count;
}

TEST(Architecture, OfAResNetHasItsStagesBlocksAndShortcuts) {
  const std::unique_ptr<Module> model = make_model("resnet18", 10);
  const ArchitectureNode root = architecture_of(*model, 128, 256);
  EXPECT_EQ(root.parameters, 11175370);  // torchvision's resnet18 with a one-channel stem and 10 classes
  std::vector<std::string> names;
  for (const ArchitectureNode& part : root.parts) names.push_back(part.name);
  EXPECT_EQ(names, (std::vector<std::string>{"conv1", "bn1", "maxpool", "layer1", "layer2", "layer3", "layer4",
                                             "avgpool", "dropout", "fc"}));
  EXPECT_EQ(root.parts[1].fused, Fused::relu);
  const ArchitectureNode& block = root.parts[4].parts[0];
  EXPECT_EQ(block.name, "layer2.0");
  EXPECT_EQ(sizes(block.output), (std::vector<int64_t>{1, 16, 32, 128}));
  ASSERT_EQ(block.parts.size(), 5u);  // conv1, bn1, conv2, downsample, bn2
  EXPECT_EQ(block.parts[3].parts.size(), 2u);
  EXPECT_EQ(block.parts[4].fused, Fused::shortcut_and_relu);
  EXPECT_TRUE(model->training());  // as before
}

TEST(Architecture, IsDrawnAsWellFormedSvg) {
  for (const std::string& name : model_names()) {
    SCOPED_TRACE(name);
    const std::unique_ptr<Module> model = make_model(name, 10);
    const ArchitectureNode root = architecture_of(*model, 128, 256);
    const std::string svg = architecture_svg(root, name + " <b>&", {1, 128, 256, 1}, true);
    expect_well_formed(svg);
    expect_contains(svg, name + " &lt;b&gt;&amp;");
    expect_contains(svg, "128 × 256 × 1");
    // One arrow around each block of ResNet-18, but the two equal ones of the first stage share theirs.
    if (name == "resnet18") {
      EXPECT_EQ(count_of("class=\"shortcut\"", svg), 7u);
      EXPECT_EQ(count_of(">identity<", svg), 4u);
      expect_contains(svg, "2 blocks");
    }
    if (name == "cnn") {
      EXPECT_EQ(count_of("class=\"shortcut\"", svg), 0u);
    }
  }
}

}  // namespace
}  // namespace melgrad::test
