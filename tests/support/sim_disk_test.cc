// SPDX-License-Identifier: Apache-2.0
#include "tests/support/sim_disk.h"

#include <fmt/core.h>
#include <gtest/gtest.h>

#include <set>

namespace wattmint::test {
namespace {

using Result = SimDisk::Result;

constexpr std::uint64_t kSeeds = 400;
constexpr std::size_t kSector = SimDisk::kSectorBytes;

// A disk and one way to use it: files are open only within a call.
class Disk : public SimDisk {
 public:
  using SimDisk::SimDisk;

  Result Put(const std::string& name, std::int64_t offset, const std::string& bytes) {
    return With(name, [&](File& file) { return Write(file, offset, bytes); });
  }
  Result Cut(const std::string& name, std::int64_t size) {
    return With(name, [&](File& file) { return Truncate(file, size); });
  }
  Result Flush(const std::string& name) {
    return With(name, [&](File& file) { return Sync(file); });
  }
  std::string Get(const std::string& name) {
    std::string bytes(static_cast<std::size_t>(SizeOf(name)), '?');
    With(name, [&](File& file) {
      std::size_t read = 0;
      return Read(file, 0, bytes, read);
    });
    return bytes;
  }
  // A file whose bytes and name are durable.
  void PutDurably(const std::string& name, const std::string& bytes) {
    ASSERT_EQ(Put(name, 0, bytes), Result::kOk);
    ASSERT_EQ(Flush(name), Result::kOk);
    ASSERT_EQ(SyncDirectory(), Result::kOk);
  }
  void LosePower() {
    SimDisk::Cut();
    PowerUp();
  }

 private:
  template <typename Work>
  Result With(const std::string& name, Work work) {
    const FilePtr file = Open(name, true);
    if (file == nullptr) return Result::kIoError;
    const Result result = work(*file);
    Close(file);
    return result;
  }
};

// What is left of `name`, over all seeds, after `use` and a loss of power.
template <typename Use>
std::multiset<std::string> Outcomes(const std::string& name, Use use) {
  std::multiset<std::string> outcomes;
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    Disk disk(seed);
    use(disk);
    disk.LosePower();
    outcomes.insert(disk.Exists(name) ? disk.Get(name) : "nothing");
  }
  return outcomes;
}

std::string Sectors(const std::string& letters) {
  std::string bytes;
  for (const char letter : letters) bytes += std::string(kSector, letter);
  return bytes;
}

TEST(SimDiskTest, KeepsWhatWasSynced) {
  const auto outcomes = Outcomes("file", [](Disk& disk) { disk.PutDurably("file", "synced"); });
  EXPECT_EQ(outcomes.count("synced"), kSeeds);
}

TEST(SimDiskTest, KeepsLosesOrTearsAWriteBetweenSectors) {
  const auto outcomes = Outcomes("file", [](Disk& disk) {
    disk.PutDurably("file", Sectors("abc"));
    disk.Put("file", 0, Sectors("xy"));
  });
  EXPECT_GT(outcomes.count(Sectors("abc")), 20u);
  EXPECT_GT(outcomes.count(Sectors("xyc")), 20u);
  EXPECT_GT(outcomes.count(Sectors("xbc")), 5u);
  EXPECT_GT(outcomes.count(Sectors("ayc")), 5u);
  EXPECT_EQ(outcomes.count(Sectors("abc")) + outcomes.count(Sectors("xyc")) +
                outcomes.count(Sectors("xbc")) + outcomes.count(Sectors("ayc")),
            kSeeds);
}

TEST(SimDiskTest, TearsWhereTheDiskHasSectorsNotWhereTheWriteBegins) {
  const auto outcomes = Outcomes("file", [](Disk& disk) {
    disk.PutDurably("file", Sectors("ab"));
    disk.Put("file", kSector / 2, std::string(kSector, 'x'));
  });
  const std::string first =
      std::string(kSector / 2, 'a') + std::string(kSector / 2, 'x') + Sectors("b");
  EXPECT_GT(outcomes.count(first), 5u);
}

TEST(SimDiskTest, MayKeepALaterWriteWithoutAnEarlier) {
  const auto outcomes = Outcomes("file", [](Disk& disk) {
    disk.PutDurably("file", Sectors("ab"));
    disk.Put("file", 0, Sectors("x"));
    disk.Put("file", kSector, Sectors("y"));
  });
  EXPECT_GT(outcomes.count(Sectors("ay")), 5u);
  EXPECT_GT(outcomes.count(Sectors("xb")), 5u);
}

TEST(SimDiskTest, MayKeepTheLengthOfALostWriteAsZeros) {
  const auto outcomes = Outcomes("file", [](Disk& disk) {
    disk.PutDurably("file", "a");
    disk.Put("file", 1, "bc");
  });
  EXPECT_GT(outcomes.count("a"), 20u);
  EXPECT_GT(outcomes.count("abc"), 20u);
  EXPECT_GT(outcomes.count(std::string("a\0\0", 3)), 20u);
}

TEST(SimDiskTest, MayLoseATruncation) {
  const auto outcomes = Outcomes("file", [](Disk& disk) {
    disk.PutDurably("file", "abc");
    disk.Cut("file", 1);
  });
  EXPECT_GT(outcomes.count("abc"), 20u);
  EXPECT_GT(outcomes.count("a"), 20u);
}

TEST(SimDiskTest, MayLoseANameWhoseDirectoryWasNotSynced) {
  const auto outcomes = Outcomes("file", [](Disk& disk) {
    disk.Put("file", 0, "synced");
    disk.Flush("file");
  });
  EXPECT_GT(outcomes.count("nothing"), 20u);
  EXPECT_GT(outcomes.count("synced"), 20u);
}

TEST(SimDiskTest, MayBringBackARemovedFileUntilTheDirectoryIsSynced) {
  const auto removed = [](Disk& disk) {
    disk.PutDurably("file", "synced");
    EXPECT_EQ(disk.Remove("file"), Result::kOk);
    EXPECT_EQ(disk.Remove("file"), Result::kNotFound);
  };
  const auto outcomes = Outcomes("file", removed);
  EXPECT_GT(outcomes.count("nothing"), 20u);
  EXPECT_GT(outcomes.count("synced"), 20u);
  const auto synced = Outcomes("file", [&](Disk& disk) {
    removed(disk);
    disk.SyncDirectory();
  });
  EXPECT_EQ(synced.count("nothing"), kSeeds);
}

TEST(SimDiskTest, CutsThePowerDuringTheNthChange) {
  Disk disk(1);
  disk.PutDurably("file", "a");
  disk.CutAfter(2);
  EXPECT_EQ(disk.Put("file", 0, "b"), Result::kOk);
  EXPECT_FALSE(disk.IsOff());
  EXPECT_EQ(disk.Flush("file"), Result::kIoError);
  EXPECT_TRUE(disk.IsOff());
  EXPECT_EQ(disk.Put("file", 0, "c"), Result::kIoError);
  EXPECT_EQ(disk.Open("file", false), nullptr);
  disk.PowerUp();
  EXPECT_EQ(disk.power_cuts(), 1);
  EXPECT_NE(disk.Get("file"), "c");
}

TEST(SimDiskTest, PowerUpWithoutACutChangesNothing) {
  Disk disk(1);
  disk.Put("file", 0, "a");
  disk.CutAfter(1);
  disk.PowerUp();
  EXPECT_EQ(disk.Put("file", 1, "b"), Result::kOk);
  EXPECT_EQ(disk.Get("file"), "ab");
  EXPECT_EQ(disk.power_cuts(), 0);
}

TEST(SimDiskTest, ADeadProgramLeavesWhatItDidUnsynced) {
  const auto outcomes = Outcomes("file", [](Disk& disk) {
    disk.PutDurably("file", "old");
    disk.Put("file", 0, "new");
    disk.SimDisk::Cut();
    disk.Restart();
    EXPECT_EQ(disk.Get("file"), "new");
    EXPECT_EQ(disk.power_cuts(), 0);
  });
  EXPECT_GT(outcomes.count("old"), 20u);
  EXPECT_GT(outcomes.count("new"), 20u);
}

TEST(SimDiskTest, TellsASyncErrorOnceAndMayHaveLostWhatIsStillSeen) {
  const auto outcomes = Outcomes("file", [](Disk& disk) {
    disk.PutDurably("file", "old");
    disk.Put("file", 0, "new");
    disk.faults().sync_errors_ppm = 1'000'000;
    EXPECT_EQ(disk.Flush("file"), Result::kIoError);
    disk.faults().sync_errors_ppm = 0;
    EXPECT_EQ(disk.Flush("file"), Result::kOk);
    EXPECT_EQ(disk.Get("file"), "new");
  });
  EXPECT_GT(outcomes.count("old"), 20u);
  EXPECT_GT(outcomes.count("new"), 20u);
}

TEST(SimDiskTest, FailsAWriteAfterSomeOfItsSectors) {
  const auto outcomes = Outcomes("file", [](Disk& disk) {
    disk.PutDurably("file", Sectors("ab"));
    disk.faults().write_errors_ppm = 1'000'000;
    EXPECT_EQ(disk.Put("file", 0, Sectors("xy")), Result::kIoError);
    EXPECT_EQ(disk.errors(), 1);
    disk.Flush("file");
  });
  EXPECT_GT(outcomes.count(Sectors("ab")), 20u);
  EXPECT_GT(outcomes.count(Sectors("xb")), 20u);
  EXPECT_GT(outcomes.count(Sectors("xy")), 20u);
}

TEST(SimDiskTest, LosesWhatALyingSyncCovered) {
  const auto outcomes = Outcomes("file", [](Disk& disk) {
    disk.PutDurably("file", "old");
    disk.faults().sync_lies = [](std::string_view name) { return name == "file"; };
    disk.Put("file", 0, "new");
    EXPECT_EQ(disk.Flush("file"), Result::kOk);
  });
  EXPECT_GT(outcomes.count("old"), 20u);
}

TEST(SimDiskTest, IsFullUntilThereIsRoom) {
  Disk disk(1);
  disk.faults().bytes_max = 10;
  EXPECT_EQ(disk.Put("a", 0, "123456"), Result::kOk);
  EXPECT_EQ(disk.Put("b", 0, "12345"), Result::kFull);
  EXPECT_EQ(disk.Put("a", 0, "654321"), Result::kOk);
  EXPECT_EQ(disk.Remove("a"), Result::kOk);
  EXPECT_EQ(disk.Put("b", 0, "12345"), Result::kOk);
}

TEST(SimDiskTest, DoesTheSameForTheSameSeed) {
  const auto use = [](std::uint64_t seed) {
    Disk disk(seed);
    disk.faults().write_errors_ppm = 100'000;
    std::string seen;
    for (int i = 0; i < 200; ++i) {
      disk.Put("file", 100 * i, Sectors("abcd"));
      if (i % 7 == 0) disk.Flush("file");
      if (i % 31 == 0) disk.LosePower();
      seen = disk.Get("file");
    }
    return fmt::format("{} {} {} {}", disk.trace(), disk.changes(), disk.errors(), seen);
  };
  EXPECT_EQ(use(5), use(5));
  EXPECT_NE(use(5), use(6));
}

}  // namespace
}  // namespace wattmint::test
