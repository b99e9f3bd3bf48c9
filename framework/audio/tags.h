// Tags (title, artist, cover) before and behind the audio of a file. They may precede or follow any format, and most
// decoders know only some of them, so melgrad removes them in one place: every parser sees a file without tags.
#pragma once

#include "framework/audio/audio_file.h"

namespace melgrad {

// The file without its tags. Before the audio: ID3v2 (any number, with footer), APE. Behind it: ID3v1 and its
// extension, ID3v2.4, APE, Lyrics3. Zeros between a tag and the audio belong to the tag. Throws Error when nothing else
// is left.
AudioFile without_tags(const AudioFile&);

// The size of the ID3v2 or APE tag that begins at `position`; 0 if there is none.
int64_t leading_tag_size(const AudioFile&, int64_t position);

}  // namespace melgrad
