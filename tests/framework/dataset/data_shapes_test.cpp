// Folders and tables in the shapes in which data sets are distributed.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "framework/dataset/dataset.h"
#include "framework/dataset/folder_walk.h"
#include "framework/dataset/split_files.h"
#include "tests/support/audio_files.h"
#include "tests/support/errors.h"

namespace melgrad::test {
namespace {

using Names = std::vector<std::string>;

class DataShapes : public testing::Test {
 protected:
  void add(std::initializer_list<const char*> files) const {
    for (const char* file : files) write_text(root_ / file);
  }
  Dataset load() const { return load_dataset(root_.path()); }
  // "name label" of every track, with its split, fold and group.
  static Names tracks(const Dataset& dataset) {
    Names result;
    for (const Track& track : dataset.tracks) {
      std::string text = track.name + " " + dataset.labels[static_cast<size_t>(track.label)];
      if (!track.split.empty()) text += " " + track.split;
      if (track.fold) text += " fold " + std::to_string(*track.fold);
      if (!track.group.empty()) text += " of " + track.group;
      result.push_back(text);
    }
    return result;
  }
  void expect_refusal(const std::string& words) const {
    expect_error([&] { load(); }, words);
    expect_error([&] { load(); }, "--labels FILE");
  }

  TemporaryFolder root_;
};

TEST_F(DataShapes, FoldersOfSplitsHoldGenres) {
  add({"Training/rock/a.wav", "Training/jazz/b.wav", "valid/rock/c.wav", "valid/jazz/d.wav", "TEST/rock/live/e.wav"});
  EXPECT_EQ(tracks(load()),
            (Names{"TEST/rock/live/e.wav rock test", "Training/jazz/b.wav jazz train", "Training/rock/a.wav rock train",
                   "valid/jazz/d.wav jazz validation", "valid/rock/c.wav rock validation"}));
}

TEST_F(DataShapes, FoldersOfFoldsHoldGenres) {
  add({"fold_01/rock/a.wav", "Fold 2/jazz/b.wav", "fold10/rock/c.wav"});
  EXPECT_EQ(tracks(load()), (Names{"Fold 2/jazz/b.wav jazz fold 2", "fold10/rock/c.wav rock fold 10",
                                   "fold_01/rock/a.wav rock fold 1"}));
}

TEST_F(DataShapes, OneFolderNamedTestIsAGenre) {
  add({"test/a.wav", "rock/b.wav"});
  EXPECT_EQ(load().labels, (Names{"rock", "test"}));
}

TEST_F(DataShapes, SplitsWithoutGenresAreRefused) {
  add({"train/a.wav", "train/b.wav", "test/c.wav"});
  expect_refusal("1 tracks lie directly in test and have no genre");
}

TEST_F(DataShapes, SplitsBesideGenresAreRefused) {
  add({"train/rock/a.wav", "test/rock/b.wav", "jazz/c.wav"});
  expect_refusal("has folders of splits beside others (jazz, test, train)");
}

TEST_F(DataShapes, GenresOneFolderDeeperAreRefused) {
  add({"batch_a/rock/a.wav", "batch_a/jazz/b.wav", "batch_b/rock/c.wav", "batch_b/jazz/d.wav"});
  expect_refusal("(batch_a, batch_b) hold the same folders (jazz, rock)");
}

TEST_F(DataShapes, DiscsOfAlbumsAreNoGenres) {
  add({"rock/CD1/a.wav", "rock/CD2/b.wav", "jazz/CD1/c.wav", "jazz/CD2/d.wav"});
  EXPECT_EQ(load().labels, (Names{"jazz", "rock"}));
}

TEST_F(DataShapes, ALinkGivesNoTrackASecondGenre) {
  add({"house/a.wav", "house/b.wav", "ambient/c.wav", "zouk/d.wav"});
  fs::create_directory_symlink(root_ / "house", root_ / "ambient/house");
  fs::create_directory_symlink(root_ / "house", root_ / "aaa");
  fs::create_symlink(root_ / "house/a.wav", root_ / "ambient/a.wav");
  fs::create_directory_symlink(root_.path(), root_ / "zouk/loop");
  const Dataset dataset = load();
  EXPECT_EQ(tracks(dataset),
            (Names{"ambient/c.wav ambient", "house/a.wav house", "house/b.wav house", "zouk/d.wav zouk"}));
  ASSERT_EQ(dataset.warnings.size(), 1u);
  expect_contains(dataset.warnings[0], "1 links to files that are listed already (ambient/a.wav)");
  expect_contains(dataset.warnings[0], "3 links to folders that are listed already (aaa)");
}

TEST_F(DataShapes, EverythingThatIsNotTakenIsCounted) {
  add({"rock/a.wav", "rock/.cache/b.wav", "rock/cover.JPG", "rock/back.jpg", "rock/README", ".Trash/c.wav"});
  write_sine(root_ / "rock/renamed.bin", 440);
  write_sound(root_ / "rock/no_extension", {sine(440, 0.5, 22050)}, SF_FORMAT_FLAC | SF_FORMAT_PCM_16);
  fs::create_symlink("/nowhere/x.wav", root_ / "rock/dangling.wav");
  ASSERT_EQ(mkfifo((root_ / "rock/pipe.wav").c_str(), 0600), 0);
  const FolderListing listing = list_audio(root_.path());
  EXPECT_EQ(listing.audio,
            (std::vector<fs::path>{root_ / "rock/a.wav", root_ / "rock/no_extension", root_ / "rock/renamed.bin"}));
  EXPECT_EQ(
      listing.account(root_.path()),
      "not taken below " + root_.path().string() +
          ": 2 .jpg (rock/back.jpg), 1 dangling links (rock/dangling.wav), 2 hidden (.Trash), 1 pipes and devices "
          "(rock/pipe.wav), 1 without extension (rock/README)");
}

TEST_F(DataShapes, LabelsInTwoUnicodeFormsAreOne) {
  add({"M\u00fasica/a.wav", "Mu\u0301sica/b.wav", "rock/c.wav"});
  const Dataset dataset = load();
  EXPECT_EQ(dataset.labels, (Names{"M\u00fasica", "rock"}));
  ASSERT_EQ(dataset.warnings.size(), 1u);
  expect_contains(dataset.warnings[0], "is written in 2 Unicode forms; they are one label");
}

TEST_F(DataShapes, AManifestFindsFilesOfOtherSystems) {
  add({"cafe\u0301/cancio\u0301n.wav", "cafe\u0301/b.wav", "rock/a\\b.wav"});
  write_text(
      root_ / "manifest.csv",
      "\xEF\xBB\xBFpath; label ;fold\r\n caf\u00e9\\canci\u00f3n.wav ; \"la \"\"t\"\"\" ;1\r\ncafe\u0301/b.wav; x;2\r\n"
      "rock/a\\b.wav;x;3\r\n");
  const Dataset dataset = load();
  EXPECT_EQ(tracks(dataset), (Names{"cafe\u0301/b.wav x fold 2", "cafe\u0301/cancio\u0301n.wav la \"t\" fold 1",
                                    "rock/a\\b.wav x fold 3"}));
  for (const Track& track : dataset.tracks) EXPECT_TRUE(fs::exists(track.path)) << track.path;
}

TEST_F(DataShapes, AManifestInWindows1252FindsFilesInEitherEncoding) {
  add({"caf\u00e9.wav", "bl\xE9.wav"});  // the second name is not UTF-8
  write_text(root_ / "manifest.csv", "path,label\ncaf\xE9.wav,chans\xF3n\nbl\xE9.wav,pop\n");
  const Dataset dataset = load();
  EXPECT_EQ(dataset.labels, (Names{"chans\u00f3n", "pop"}));
  for (const Track& track : dataset.tracks) EXPECT_TRUE(fs::exists(track.path)) << track.path;
}

TEST_F(DataShapes, AFileListedInTwoUnicodeFormsIsOne) {
  add({"cafe\u0301.wav", "b.wav"});
  write_text(root_ / "manifest.csv", "path,label\ncaf\u00e9.wav,a\ncafe\u0301.wav,a\nb.wav,b\n");
  const Dataset dataset = load();
  EXPECT_EQ(dataset.tracks.size(), 2u);
  ASSERT_EQ(dataset.warnings.size(), 1u);
  expect_contains(dataset.warnings[0], "is already listed in line 2 in another Unicode form");
  write_text(root_ / "manifest.csv", "path,label\ncaf\u00e9.wav,a\ncafe\u0301.wav,b\n");
  expect_error([&] { load(); }, "manifest.csv:3: cafe\u0301.wav is already listed in line 2");
}

TEST_F(DataShapes, ListsOfASplitFindNamesInAnyUnicodeForm) {
  add({"rock/cafe\u0301.wav", "jazz/b.wav"});
  write_text(root_ / "lists/train.txt", "rock/caf\u00e9.wav\n");
  write_text(root_ / "lists/test.txt", "jazz/b\n");
  fs::rename(root_ / "lists", root_ / ".lists");
  Dataset dataset = load();
  apply_split_files(dataset, root_ / ".lists");
  EXPECT_EQ(tracks(dataset), (Names{"jazz/b.wav jazz test", "rock/cafe\u0301.wav rock train"}));
}

TEST_F(DataShapes, ADriveLetterIsRefused) {
  write_text(root_ / "manifest.csv", "path,label\nC:\\Music\\a.wav,rock\n");
  expect_error([&] { load(); }, "manifest.csv:2: the path 'C:\\Music\\a.wav' has a drive letter");
}

TEST_F(DataShapes, Esc50) {
  add({"audio/1-100032-A-0.wav", "audio/2-100038-A-14.wav", "audio/5-9032-A-0.wav"});
  const fs::path table = write_text(root_ / "meta/esc50.csv",
                                    "filename,fold,target,category,esc10,src_file,take\n"
                                    "1-100032-A-0.wav,1,0,dog,True,100032,A\n"
                                    "2-100038-A-14.wav,2,14,chirping_birds,False,100038,A\n"
                                    "3-7-A-1.wav,3,1,rooster,True,7,A\n");
  const Dataset dataset = load_dataset({.data = root_.path(), .labels = table});
  EXPECT_EQ(tracks(dataset), (Names{"audio/1-100032-A-0.wav dog fold 1 of 100032",
                                    "audio/2-100038-A-14.wav chirping_birds fold 2 of 100038"}));
  ASSERT_EQ(dataset.warnings.size(), 3u);
  expect_contains(dataset.warnings[0], "1 lines whose audio file does not exist, the first is 3-7-A-1.wav");
  expect_contains(dataset.warnings[1], "1 audio files that the table does not list, the first is audio/5-9032-A-0.wav");
  expect_contains(dataset.warnings[2], "1 .csv (meta/esc50.csv)");
}

TEST_F(DataShapes, UrbanSound8K) {
  add({"audio/fold1/7061-6-0-0.wav", "audio/fold2/7061-6-0-0.wav", "audio/fold10/2-0-0-1.wav"});
  const fs::path table = write_text(root_ / "metadata/UrbanSound8K.csv",
                                    "slice_file_name,fsID,start,end,salience,fold,classID,class\n"
                                    "7061-6-0-0.wav,7061,0.0,4.0,1,1,6,gun_shot\n"
                                    "7061-6-0-0.wav,7062,0.0,4.0,1,2,6,gun_shot\n"
                                    "2-0-0-1.wav,2,0.0,4.0,1,10,0,air_conditioner\n");
  EXPECT_EQ(tracks(load_dataset({.data = root_.path(), .labels = table})),
            (Names{"audio/fold1/7061-6-0-0.wav gun_shot fold 1 of 7061",
                   "audio/fold10/2-0-0-1.wav air_conditioner fold 10 of 2",
                   "audio/fold2/7061-6-0-0.wav gun_shot fold 2 of 7062"}));
}

TEST_F(DataShapes, Fma) {
  add({"fma_small/000/000002.mp3", "fma_small/000/000005.mp3", "fma_small/140/140001.mp3"});
  const fs::path table = write_text(root_ / "fma_metadata/tracks.csv",
                                    ",album,artist,set,set,track,track\n"
                                    ",title,id,split,subset,genre_top,title\n"
                                    "track_id,,,,,,\n"
                                    "2,AWOL,1,training,small,Hip-Hop,Food\n"
                                    "5,AWOL,1,test,small,,\"This, World\"\n"
                                    "140001,X,77,validation,small,Rock,Y\n");
  const Dataset dataset = load_dataset({.data = root_ / "fma_small", .labels = table});
  EXPECT_EQ(tracks(dataset), (Names{"000/000002.mp3 Hip-Hop train of 1", "140/140001.mp3 Rock validation of 77"}));
  expect_contains(dataset.warnings[0], "1 lines without a label, the first is " + table.string() + ":5");
}

TEST_F(DataShapes, ATableInAnotherEncodingWithItsColumnsNamed) {
  add({"x/one.wav", "y/two.wav"});
  // Windows-1252, tabs: "é" is one byte.
  const fs::path table = write_text(root_ / "t.tsv",
                                    "nr\tSt\xFC"
                                    "ck\tArt\n1\tone\tchans\xF3n\n2\ttwo.wav\tpop\n");
  const DatasetSource source{.data = root_.path(), .labels = table, .path_column = "St\u00fcck", .label_column = "Art"};
  EXPECT_EQ(tracks(load_dataset(source)), (Names{"x/one.wav chans\u00f3n", "y/two.wav pop"}));
  DatasetSource wrong = source;
  wrong.label_column = "Genre";
  expect_error([&] { load_dataset(wrong); }, "t.tsv has no column 'Genre'; its columns are nr, St\u00fcck, Art");
  wrong.label_column = "";
  expect_error([&] { load_dataset(wrong); }, "no column is known to hold the labels; name it by --label-column");
}

TEST_F(DataShapes, ATableInUtf16) {
  add({"a.wav", "b.wav"});
  std::string bytes = "\xFF\xFE";
  for (const char c : std::string("file;genre\na.wav;rock\nb;jazz\n")) bytes += std::string{c, '\0'};
  const fs::path table = write_text(root_ / "t.csv", bytes);
  EXPECT_EQ(tracks(load_dataset({.data = root_.path(), .labels = table})), (Names{"a.wav rock", "b.wav jazz"}));
}

TEST_F(DataShapes, AnAmbiguousNameInATableIsRefused) {
  add({"x/a.wav", "y/a.wav"});
  const fs::path table = write_text(root_ / "t.csv", "file,genre\na.wav,rock\n");
  expect_error([&] { load_dataset({.data = root_.path(), .labels = table}); },
               "t.csv:2: 'a.wav' matches x/a.wav and y/a.wav");
}

}  // namespace
}  // namespace melgrad::test
