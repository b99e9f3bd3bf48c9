// The audio files below a folder, and an account of everything else in it.
#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace melgrad {

// Entries of one kind that were not taken.
struct PassedOver {
  size_t count = 0;
  std::string example;  // the first one, relative to the folder
};

struct FolderListing {
  std::vector<std::filesystem::path> audio;       // sorted; each begins with the given folder
  std::map<std::string, PassedOver> passed_over;  // by kind: ".jpg", "without extension", "dangling links", ...

  // "not taken below FOLDER: 12 .m4a (rock/c.m4a), 1 dangling link (rock/x.wav)"; empty if everything was taken.
  std::string account(const std::filesystem::path& folder) const;
};

// Takes every file whose extension or content is that of a format that Decoder reads. Hidden entries, __MACOSX and
// trash folders are passed over. Links are followed after everything else: a folder or file that the walk has reached
// otherwise is not taken a second time, so links can neither loop nor give a track a second genre. Pipes and devices
// are not opened. Throws Error if the folder itself cannot be read.
FolderListing list_audio(const std::filesystem::path& folder);

// True if the file has the extension of a format that Decoder reads and is not hidden.
bool is_audio_file(const std::filesystem::path& path);

// True for names that a walk passes over: those that begin with a dot, __MACOSX, trash folders.
bool is_hidden(const std::filesystem::path& path);

}  // namespace melgrad
