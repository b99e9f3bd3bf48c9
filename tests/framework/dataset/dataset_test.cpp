#include "framework/dataset/dataset.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "framework/dataset/split_files.h"
#include "tests/support/errors.h"
#include "tests/support/paths.h"
#include "tests/support/temporary_folder.h"

namespace melgrad::test {
namespace {

std::vector<std::string> names(const Dataset& dataset) {
  std::vector<std::string> names;
  for (const Track& track : dataset.tracks) names.push_back(track.name);
  return names;
}

using Names = std::vector<std::string>;

void expect_load_error(const fs::path& path, const std::string& words) {
  expect_error([&] { load_dataset(path); }, words);
}

TEST(Dataset, ReadsGenreFolders) {
  const TemporaryFolder root;
  for (const char* file : {"rock/b.WAV", "rock/a.mp3", "blues/live/x.flac", "blues/._x.wav", "blues/notes.txt",
                           "blues/.hidden/y.wav", "__MACOSX/rock/._a.wav", "rock/cover.jpg"}) {
    write_text(root / file);
  }
  const Dataset dataset = load_dataset(root.path());
  EXPECT_EQ(dataset.labels, (Names{"blues", "rock"}));
  EXPECT_EQ(names(dataset), (Names{"blues/live/x.flac", "rock/a.mp3", "rock/b.WAV"}));
  EXPECT_EQ(dataset.tracks[0].label, 0);
  EXPECT_EQ(dataset.tracks[2].label, 1);
  EXPECT_EQ(dataset.tracks[2].path, root / "rock/b.WAV");
  EXPECT_EQ(dataset.warnings, (Names{"not taken below " + root.path().string() + ": 1 .jpg (rock/cover.jpg), 1 .txt " +
                                     "(blues/notes.txt), 2 hidden (__MACOSX)"}));
}

TEST(Dataset, FindsTheGenreFoldersInTheKaggleDownload) {
  for (const char* above : {"", "genres/", "genres_original/", "Data/genres_original/"}) {
    const TemporaryFolder root;
    write_text(root / (std::string(above) + "blues/blues.00000.wav"));
    write_text(root / (std::string(above) + "rock/rock.00000.wav"));
    if (*above != '\0') {
      write_text(root / "images_original/blues/blues00000.png");
      write_text(root / "features_30_sec.csv", "filename,length\n");
    }
    const Dataset dataset = load_dataset(root.path());
    EXPECT_EQ(names(dataset), (Names{"blues/blues.00000.wav", "rock/rock.00000.wav"})) << above;
    EXPECT_TRUE(dataset.warnings.empty()) << above;
  }
}

TEST(Dataset, WarnsAboutFilesThatItLeavesOut) {
  const TemporaryFolder root;
  for (const char* file : {"blues/a.wav", "rock/b.wav", "rock/c.m4a", "rock/d.AAC", "pop/empty.txt", "stray.wav"}) {
    write_text(root / file);
  }
  const Dataset dataset = load_dataset(root.path());
  EXPECT_EQ(dataset.labels, (Names{"blues", "rock"}));
  ASSERT_EQ(dataset.warnings.size(), 3u);
  expect_contains(dataset.warnings[0], "pop holds no audio");
  expect_contains(dataset.warnings[1], "1 .aac (rock/d.AAC), 1 .m4a (rock/c.m4a), 1 .txt (pop/empty.txt)");
  expect_contains(dataset.warnings[2], "outside the genre folders, are left out: 1");
}

TEST(Dataset, FollowsLinksOnce) {
  const TemporaryFolder root;
  write_text(root / "blues/a.wav");
  write_text(root / "elsewhere/rock/b.wav");
  fs::create_directories(root / "set");
  fs::create_directory_symlink(root / "blues", root / "set/blues");
  fs::create_directory_symlink(root / "elsewhere/rock", root / "set/rock");
  fs::create_directory_symlink(root / "set", root / "elsewhere/rock/back");
  EXPECT_EQ(names(load_dataset(root / "set")), (Names{"blues/a.wav", "rock/b.wav"}));
}

TEST(Dataset, RefusesAFolderWithoutGenres) {
  const TemporaryFolder root;
  expect_load_error(root / "absent", "no such file or folder");
  expect_load_error(root.path(), "no audio in genre folders");
  write_text(root / "x.wav");
  expect_load_error(root.path(), "no audio in genre folders");
  expect_load_error(root / "x.wav", "neither a folder nor a .csv manifest");
  write_text(root / "rock/a.wav");
}

TEST(Dataset, ReadsAManifest) {
  const TemporaryFolder root;
  const fs::path manifest = write_text(root / "manifest.csv",
                                       "\xEF\xBB\xBFtitle,label,path,split,fold,group\r\n"
                                       "\"Rock, \"\"live\"\"\",rock,./sub/../b.wav,val,1,Nina\r\n"
                                       "x,blues," +
                                           (root / "a.wav").string() +
                                           ",train,0,\r\n"
                                           "\r\n"
                                           "y, blues ,\"c, d.wav\",testing,2,Nina\r\n");
  for (const fs::path& given : {root.path(), manifest}) {
    const Dataset dataset = load_dataset(given);
    EXPECT_EQ(dataset.labels, (Names{"blues", "rock"}));
    ASSERT_EQ(names(dataset), (Names{"a.wav", "b.wav", "c, d.wav"}));
    EXPECT_EQ(dataset.root, root.path());
    EXPECT_EQ(dataset.tracks[0].path, root / "a.wav");
    EXPECT_EQ(dataset.tracks[0].split, "train");
    EXPECT_EQ(dataset.tracks[0].group, "");
    EXPECT_EQ(dataset.tracks[1].path, root / "b.wav");
    EXPECT_EQ(dataset.tracks[1].label, 1);
    EXPECT_EQ(dataset.tracks[1].split, "validation");
    EXPECT_EQ(dataset.tracks[1].group, "Nina");
    EXPECT_EQ(dataset.tracks[1].fold, 1);
    EXPECT_EQ(dataset.tracks[2].label, 0);
    EXPECT_EQ(dataset.tracks[2].split, "test");
  }
}

TEST(Dataset, RefusesAManifestWithItsLine) {
  const TemporaryFolder root;
  const auto expect = [&](std::string_view text, const std::string& expected) {
    expect_load_error(write_text(root / "m.csv", text), expected);
  };
  expect("", "m.csv is empty");
  expect("path,label\n", "m.csv lists no tracks");
  expect("path,genre\na.wav,rock\n", "m.csv:1: no column 'label' among 'path', 'genre'");
  expect("path;genre\na.wav;rock\n", "m.csv:1: no column 'label' among 'path', 'genre'");
  expect("path,label,label\n", "m.csv:1: the column 'label' is named twice");
  expect("path,label\na.wav,rock\nb,c.wav,pop\n", "m.csv:3: 3 fields, but the first line has 2");
  expect("path,label\na.wav,rock\n./a.wav,pop\n", "m.csv:3: a.wav is already listed in line 2");
  expect("path,label\na.wav,\n", "m.csv:2: the label is empty");
  expect("path,label\n,rock\n", "m.csv:2: the path is empty");
  expect("path,label,fold\na.wav,rock,one\n", "m.csv:2: fold is 'one'");
  expect("path,label,fold\na.wav,rock,-1\n", "m.csv:2: fold is '-1'");
  expect("path,label,fold\na.wav,rock,\n", "m.csv:2: fold is ''");
  expect("path,label,split\na.wav,rock,devil\n", "m.csv:2: split is 'devil'; it must be train, validation or test");
  expect("path,label\na.wav,\"rock\n", "m.csv:2: a quote is opened but never closed");
  std::string many = "path,label\n";
  for (int i = 0; i < 1000; ++i) many += fmt::format("{0}.wav,label {0}\n", i);
  EXPECT_EQ(load_dataset(write_text(root / "m.csv", many)).labels.size(), 1000u);
  expect(many + "a.wav,one more\n", (root / "m.csv").string() + " has 1001 labels, at most 1000 are allowed");
}

TEST(Dataset, ReadsGenres4) {
  const fs::path folder = real_music() / "genres4";
  if (!fs::exists(folder)) GTEST_SKIP() << "no real music: set MELGRAD_DATA";
  const Dataset dataset = load_dataset(folder);
  EXPECT_EQ(dataset.labels, (Names{"classical", "electronic", "pop", "rock"}));
  ASSERT_EQ(dataset.tracks.size(), 316u);
  std::map<int, int> of_label;
  std::map<std::string, std::set<int>> folds_of_group;
  for (const Track& track : dataset.tracks) {
    EXPECT_TRUE(fs::exists(track.path)) << track.path;
    ++of_label[track.label];
    folds_of_group[track.group].insert(track.fold.value());
  }
  EXPECT_EQ(of_label, (std::map<int, int>{{0, 78}, {1, 80}, {2, 79}, {3, 79}}));
  EXPECT_EQ(folds_of_group.size(), 113u);
  for (const auto& [group, folds] : folds_of_group) EXPECT_EQ(folds.size(), 1u) << group;
}

// Writes the layout of GTZAN: ten genres of a hundred empty files.
void make_gtzan(const fs::path& root, const std::string& extension) {
  for (const char* genre :
       {"blues", "classical", "country", "disco", "hiphop", "jazz", "metal", "pop", "reggae", "rock"}) {
    for (int i = 0; i < 100; ++i) {
      write_text(root / genre / (fmt::format("{}.{:05}{}", genre, i, extension)));
    }
  }
}

std::map<std::string, int> count_splits(const Dataset& dataset) {
  std::map<std::string, int> counts;
  for (const Track& track : dataset.tracks) ++counts[track.split];
  return counts;
}

TEST(SplitFiles, ApplyTheFaultFilteredSplitOfGtzan) {
  const fs::path lists = real_music() / "gtzan_split";
  if (!fs::exists(lists)) GTEST_SKIP() << "no lists of GTZAN: set MELGRAD_DATA";
  const TemporaryFolder root;
  make_gtzan(root / "genres", ".au");  // the original format; the lists name .wav
  Dataset whole = load_dataset(root.path());
  ASSERT_EQ(whole.tracks.size(), 1000u);
  apply_split_files(whole, lists);
  EXPECT_EQ(count_splits(whole), (std::map<std::string, int>{{"train", 443}, {"validation", 197}, {"test", 290}}));
  EXPECT_TRUE(whole.warnings.empty());
  EXPECT_EQ(whole.labels.size(), 10u);

  fs::remove(root / "genres/jazz/jazz.00020.au");
  Dataset lacking = load_dataset(root.path());
  apply_split_files(lacking, lists);
  EXPECT_EQ(count_splits(lacking)["train"], 442);
  ASSERT_EQ(lacking.warnings.size(), 1u);
  expect_contains(lacking.warnings[0], "jazz/jazz.00020.wav is not in");
}

class SplitLists : public testing::Test {
 protected:
  SplitLists() {
    for (const char* file : {"set/blues/1.wav", "set/blues/blues.00029.wav", "set/rock/1.wav", "set/rock/2.mp3"}) {
      write_text(folder_ / file);
    }
  }

  Dataset apply(std::string_view train, std::string_view test) {
    write_text(folder_ / "lists/train_filtered.txt", train);
    write_text(folder_ / "lists/test_filtered.txt", test);
    Dataset dataset = load_dataset(folder_ / "set");
    apply_split_files(dataset, folder_ / "lists");
    return dataset;
  }

  TemporaryFolder folder_;
};

TEST_F(SplitLists, MatchTheEndsOfNames) {
  const Dataset dataset = apply("blues.00029\r\n\r\ngenres/rock/1.au\r\n", "\xEF\xBB\xBFrock\\2.mp3\njazz/1.wav");
  EXPECT_EQ(names(dataset), (Names{"blues/blues.00029.wav", "rock/1.wav", "rock/2.mp3"}));
  EXPECT_EQ(dataset.tracks[0].split, "train");
  EXPECT_EQ(dataset.tracks[1].split, "train");
  EXPECT_EQ(dataset.tracks[2].split, "test");
  ASSERT_EQ(dataset.warnings.size(), 1u);
  expect_contains(dataset.warnings[0], "test_filtered.txt:2: jazz/1.wav is not in");
}

TEST_F(SplitLists, AreRefusedWithTheirLine) {
  const auto expect = [&](std::string_view train, std::string_view test, const std::string& expected) {
    expect_error([&] { apply(train, test); }, expected);
  };
  expect("1.wav", "rock/2.mp3", "train_filtered.txt:1: '1.wav' matches blues/1.wav and rock/1.wav");
  expect("rock/1", "rock/1.wav", "train_filtered.txt:1: rock/1 is already listed in");
  expect("absent", "absent too", "none of the listed tracks is in");
  write_text(folder_ / "lists/train2.txt");
  fs::rename(folder_ / "lists/train2.txt", folder_ / "lists/train-old.txt");
  expect("rock/1", "rock/2", "both list train tracks");
  fs::remove_all(folder_ / "lists");
  fs::create_directory(folder_ / "lists");
  Dataset dataset = load_dataset(folder_ / "set");
  expect_error([&] { apply_split_files(dataset, folder_ / "lists"); }, "no list of train tracks");
  expect_error([&] { apply_split_files(dataset, folder_ / "nowhere"); }, "is not a folder");
}

}  // namespace
}  // namespace melgrad::test
