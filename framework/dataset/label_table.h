// Data sets that are distributed with a table of their own: ESC-50 (meta/esc50.csv), UrbanSound8K
// (metadata/UrbanSound8K.csv), FMA (fma_metadata/tracks.csv), GTZAN (features_30_sec.csv) and the like.
#pragma once

#include "framework/dataset/dataset.h"

namespace melgrad {

// Reads source.labels, a table in UTF-8, UTF-16 or Windows-1252 whose fields are separated by commas, semicolons, tabs
// or vertical bars, and looks for the audio files below source.data by path, fold, file name or number. Lines without a
// label, files that do not exist and files that the table does not list are left out and counted in the warnings.
// "artist", "fsID", "src_file" and the like become Track::group, because clips of one recording must stay together.
// Throws Error for a column that is not found, naming all columns, for an ambiguous file name, and for a table that
// gives no tracks.
Dataset load_label_table(const DatasetSource& source);

}  // namespace melgrad
