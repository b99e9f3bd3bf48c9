// RUN/split.csv: path,label,split,content of every track of a run. Evaluation takes the held-out tracks from it, and a
// resumed training the tracks that it began with. The content is a hash of the audio file; it is empty for test tracks,
// which training does not read. The files of older runs have no content.
#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <string>

#include "framework/dataset/dataset.h"
#include "framework/dataset/split.h"

namespace melgrad {

// Hashes of audio files, by the index of the track.
using TrackContents = std::map<size_t, std::string>;

// Throws WriteError.
void write_split_csv(const std::filesystem::path& file, const Dataset& dataset, const Split& split,
                     const TrackContents& contents = {});

// Reads a split of `dataset`, which may have more tracks than the file. Throws Error naming the file and the track that
// the data set lacks or the invalid line.
Split read_split_csv(const std::filesystem::path& file, const Dataset& dataset);

// XXH3-128 of the file's bytes as 32 hexadecimal digits, as xxh128sum prints it: it identifies the tracks, labels and
// contents of a split. Throws Error if the file cannot be read.
std::string split_fingerprint(const std::filesystem::path& file);

// Throws Error naming the tracks of the file that have another label or another content now, and those that could be
// read when it was written but have no content now. Contents are not compared if the file has none.
void require_same_tracks(const std::filesystem::path& file, const Dataset& dataset, const TrackContents& contents);

}  // namespace melgrad
