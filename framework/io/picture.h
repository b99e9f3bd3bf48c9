// Charts as PNG files, drawn with cairo and written atomically. All functions throw WriteError naming the path when the
// file cannot be written.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace melgrad {

// counts[i][j]: number of examples of class i that were predicted as class j. The shade of a cell is its share of the
// row. Returns the bytes of a PNG file.
std::string confusion_matrix_png(const std::vector<std::string>& labels,
                                 const std::vector<std::vector<int64_t>>& counts, const std::string& title);
void draw_confusion_matrix(const std::filesystem::path&, const std::vector<std::string>& labels,
                           const std::vector<std::vector<int64_t>>& counts, const std::string& title);

// One horizontal bar per label, with its count beside it.
void draw_bar_chart(const std::filesystem::path&, const std::vector<std::string>& labels,
                    const std::vector<int64_t>& counts, const std::string& title);

}  // namespace melgrad
