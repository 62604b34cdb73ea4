#include "sapwood/rntuple/ntuple.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "sapwood/rntuple/test_support.h"

namespace sapwood::rntuple {
namespace {

// The expected values are what uproot 5.7 reads, or what the program wrote that made the file.

std::string type_of(const Ntuple& ntuple, const std::string& name) {
  return ntuple.schema()[ntuple.schema().require(name)].type.to_string();
}

TEST(Ntuple, DescribesItself) {
  const auto ntuple = open_test_file("ntpl001_staff_rntuple_v1-0-0-0.root");
  EXPECT_EQ(ntuple->object(), "Staff");
  EXPECT_STREQ(ntuple->format(), "RNTuple");
  EXPECT_EQ(ntuple->num_entries(), 3354);
  ASSERT_EQ(ntuple->clusters().size(), 1u);
  EXPECT_EQ(ntuple->clusters()[0], (EntryRange{0, 3354}));
  ASSERT_EQ(ntuple->schema().size(), 11u);
  const ColumnInfo& category = ntuple->schema()[0];
  EXPECT_EQ(category.name, "Category");
  EXPECT_EQ(category.stored_type, "std::int32_t");
  EXPECT_FALSE(category.is_member);
  EXPECT_EQ(category.values_per_entry, 1);
  EXPECT_EQ(category.uncompressed_bytes, 3354u * 4);
}

TEST(Ntuple, ReadsNumbersAndStrings) {
  const auto ntuple = open_test_file("ntpl001_staff_rntuple_v1-0-0-0.root");
  EXPECT_EQ(text(read_column(*ntuple, "Category", {0, 3})), "202 530 316");
  EXPECT_EQ(text(read_column(*ntuple, "Flag", {0, 3})), "15 15 15");
  EXPECT_EQ(text(read_column(*ntuple, "Cost", {3353, 3354})), "12716");
  EXPECT_EQ(text(read_column(*ntuple, "Division", {0, 3})), R"("PS" "EP" "PS")");
  EXPECT_EQ(text(read_column(*ntuple, "Nation", {3353, 3354})), R"("ZZ")");
}

TEST(Ntuple, ReadsUncompressedPages) {
  const auto ntuple = open_test_file("rntviewer-testfile-uncomp-single-rntuple-v1-0-0-0.root");
  EXPECT_EQ(text(read_column(*ntuple, "lastName", {0, 3})), R"("Blomer" "Canal" "Naumann")");
  EXPECT_EQ(text(read_column(*ntuple, "lastName", {21, 22})),
            R"("to all framework developers in the experiments")");
}

TEST(Ntuple, ReadsLists) {
  const auto ntuple = open_test_file("test_1jag_int_float_rntuple_v1-0-0-0.root");
  EXPECT_EQ(type_of(*ntuple, "two_v_floats"), "list<float32>");
  EXPECT_EQ(text(read_column(*ntuple, "one_v_integers", {0, 3})), "[] [100] [100, 99]");
  EXPECT_EQ(text(read_column(*ntuple, "one_v_integers", {99, 100})), "[10, 9, 8, 7, 6, 5, 4, 3, 2]");
  EXPECT_EQ(text(read_column(*ntuple, "two_v_floats", {1, 3})), "[10] [10, 9.89999962]");
}

TEST(Ntuple, ReadsSeveralPagesOfSplitIntegers) {
  const auto ntuple = open_test_file("test_split_3e4_rntuple_v1-0-0-0.root");
  const Column column = read_column(*ntuple, "one_int32");
  ASSERT_EQ(column.length, 30000);
  EXPECT_TRUE(
      std::ranges::all_of(column.values.as<const int32_t>(), [](int32_t v) { return v == 0x04030201; }));
  EXPECT_EQ(text(read_column(*ntuple, "two_uint32", {29999, 30000})), "4293844428");
}

TEST(Ntuple, ReadsBitsetsAtomicsAndBools) {
  const auto ntuple = open_test_file("test_atomic_bitset_rntuple_v1-0-0-0.root");
  EXPECT_EQ(type_of(*ntuple, "bitset"), "bool[42]");
  EXPECT_EQ(text(read_column(*ntuple, "atomic_int")), "1 2 3");
  const std::string bits = text(read_column(*ntuple, "bitset", {0, 1}));
  EXPECT_EQ(bits.substr(0, 27), "[0, 1, 0, 1, 0, 1, 0, 0, 0,");
  const auto bools = open_test_file("test_bit_rntuple_v1-0-0-0.root");
  EXPECT_EQ(text(read_column(*bools, "one_bit")).substr(0, 5), "1 0 0");
}

TEST(Ntuple, ReadsRealsOfReducedPrecision) {
  const auto floats = open_test_file("test_float_types_rntuple_v1-0-0-0.root");
  EXPECT_EQ(text(read_column(*floats, "trunc10", {0, 2})), "1 1.31941395e+13");
  EXPECT_EQ(text(read_column(*floats, "trunc31", {0, 1})), "1.23456788");
  EXPECT_EQ(text(read_column(*floats, "quant1")), "3 3 -2 -2");
  EXPECT_EQ(text(read_column(*floats, "quant8", {0, 2})), "1.2352941 1.66666663");
  const auto doubles = open_test_file("reals_rntuple.root");
  EXPECT_EQ(type_of(*doubles, "half"), "float64");
  EXPECT_EQ(text(read_column(*doubles, "half")),
            "0 1 -1.5 4.19921875 5.9604644775390625e-08 -6.0975551605224609e-05 65504 inf");
  EXPECT_EQ(text(read_column(*doubles, "truncated", {2, 4})), "-1.5 4.1999998092651367");
  EXPECT_EQ(text(read_column(*doubles, "quantized", {0, 2})), "0.023622047244094446 1.0314960629921259");
  EXPECT_EQ(text(read_column(*doubles, "single", {3, 4})), "4.1999998092651367");
}

TEST(Ntuple, ReadsRecordsAndTheirMembers) {
  const auto ntuple = open_test_file("test_nested_structs_rntuple_v1-0-0-0.root");
  EXPECT_EQ(text(read_column(*ntuple, "my_struct", {9, 10})),
            "{i: 9, sub_struct: {i: 10, sub_sub_struct: {i: 11, v: [9, 10]}}}");
  EXPECT_EQ(text(read_column(*ntuple, "my_struct.sub_struct.sub_sub_struct.v", {0, 2})), "[0, 1] [1, 2]");
  EXPECT_TRUE(ntuple->schema()[ntuple->schema().require("my_struct.i")].is_member);
}

TEST(Ntuple, KeepsTheListsAroundMembers) {
  const auto ntuple = open_test_file("test_int_vfloat_tlv_vtlv_rntuple_v1-0-0-0.root");
  EXPECT_EQ(type_of(*ntuple, "four_v_LVs.pt"), "list<float32>");
  EXPECT_EQ(text(read_column(*ntuple, "four_v_LVs.pt", {0, 1})), "[19, 19, 19, 19]");
  EXPECT_EQ(text(read_column(*ntuple, "three_LV.mass")), text(read_column(*ntuple, "three_LV.pt")));
}

TEST(Ntuple, ReadsContainersOfTheStandardLibrary) {
  const auto ntuple = open_test_file("test_stl_containers_rntuple_v1-0-0-0.root");
  EXPECT_EQ(text(read_column(*ntuple, "vector_vector_string", {1, 3})),
            R"([["one"], ["two"]] [["one"], ["two"], ["three"]])");
  EXPECT_EQ(text(read_column(*ntuple, "array_float", {0, 2})), "[1, 1, 1] [2, 2, 2]");
  EXPECT_EQ(text(read_column(*ntuple, "vector_tuple_int32_string", {0, 1})), R"([{_0: 1, _1: "one"}])");
  EXPECT_EQ(type_of(*ntuple, "array_lv.pt"), "float32[3]");
  EXPECT_EQ(text(read_column(*ntuple, "array_lv.pt", {4, 5})), "[5, 5, 5]");
}

TEST(Ntuple, ReadsRecordsOfNothingAndVariantsWithoutValue) {
  const auto ntuple = open_test_file("test_emptystruct_invalidvar_rntuple_v1-0-0-0.root");
  EXPECT_EQ(text(read_column(*ntuple, "empty_struct")), "{} {} {}");
  EXPECT_EQ(text(read_column(*ntuple, "variant")),
            "{_0: [1], _1: []} {_0: [], _1: []} {_0: [], _1: [{i: 2}]}");
}

TEST(Ntuple, ReadsObjectsThatTheRootStreamerWrote) {
  const auto ntuple = open_test_file("streamed_rntuple.root");
  EXPECT_EQ(text(read_column(*ntuple, "x")), "0 1 2");
  const std::string object = "{fName: \"name\", fTitle: \"\"}";
  EXPECT_EQ(text(read_column(*ntuple, "object")), object + " " + object + " " + object);
  EXPECT_EQ(text(read_column(*ntuple, "object.fName", {1, 3})), "\"name\" \"name\"");
  EXPECT_THROW(read_column(*ntuple, "objec"), SchemaError);
}

TEST(Ntuple, ReadsManyClusterGroups) {
  const auto ntuple = open_test_file("test_multiple_cluster_groups_rntuple_v1-0-0-0.root");
  EXPECT_EQ(ntuple->clusters().size(), 12u);
  EXPECT_EQ(ntuple->clusters().back().stop, 1000);
  const Column column = read_column(*ntuple, "int_vector");
  for (int64_t i = 0; i < 1000; ++i) EXPECT_EQ(text(column, i), concat('[', i, ", ", i + 1, ']'));
}

TEST(Ntuple, ReadsZerosWhereFieldsWereAddedLate) {
  const auto ntuple = open_test_file("late_fields_rntuple.root");
  ASSERT_EQ(ntuple->num_entries(), 16);
  EXPECT_EQ(text(read_column(*ntuple, "number")), "0 0 0 0 0 0 0 0 8 9 10 11 12 13 14 15");
  EXPECT_EQ(text(read_column(*ntuple, "text", {6, 10})), R"("" "" "s8" "s9")");
  EXPECT_EQ(text(read_column(*ntuple, "list", {3, 11})), "[] [] [] [] [] [2, 2] [] [2.5]");
  EXPECT_EQ(text(read_column(*ntuple, "array", {7, 9})), "[0, 0, 0] [8, 8, 8]");
  EXPECT_EQ(text(read_column(*ntuple, "bits", {7, 9})),
            "[0, 0, 0, 0, 0, 0, 0, 0, 0] [0, 0, 0, 1, 0, 0, 0, 0, 0]");
  EXPECT_EQ(text(read_column(*ntuple, "alias", {1, 4})), "[1] [2, 2] [3, 3, 3]");
}

TEST(Ntuple, ReadsTheRepresentationThatEachClusterStores) {
  const auto ntuple = open_test_file("representations_rntuple.root");
  ASSERT_EQ(ntuple->clusters().size(), 6u);
  const Column px = read_column(*ntuple, "px");
  const Column s = read_column(*ntuple, "s");
  const Column v = read_column(*ntuple, "v");
  for (int i = 0; i < 24; ++i) {
    EXPECT_EQ(text(px, i), concat(i));
    EXPECT_EQ(text(s, i), concat("\"str", i, '"'));
    EXPECT_EQ(v.offset_span()[static_cast<size_t>(i) + 1] - v.offset_span()[static_cast<size_t>(i)], i % 4);
  }
  EXPECT_EQ(text(v, 23), "[-23, -23, -23]");
}

// std::optional and std::unique_ptr.
TEST(Ntuple, NullableFieldsAreListsOfAtMostOne) {
  const auto ntuple = open_test_file("nullable_rntuple.root");
  EXPECT_EQ(ntuple->schema()[ntuple->schema().require("items")].type.to_string(), "list<list<int32>>");
  EXPECT_EQ(text(read_column(*ntuple, "number", {0, 8})), "[] [0.5] [1] [] [2] [2.5] [] [3.5]");
  EXPECT_EQ(text(read_column(*ntuple, "text", {0, 6})), R"([] ["t"] [] [] [] ["ttttt"])");
  EXPECT_EQ(text(read_column(*ntuple, "items", {7, 10})), "[[], [8]] [[], [9], []] [[], [10], [], [12]]");
}

TEST(Ntuple, VariantsAreRecordsOfListsOfAtMostOne) {
  const auto ntuple = open_test_file("variants_rntuple.root");
  EXPECT_EQ(ntuple->schema()[ntuple->schema().require("one")].type.to_string(),
            "struct<_0: list<int32>, _1: list<string>, _2: list<list<float32>>>");
  EXPECT_EQ(text(read_column(*ntuple, "one._0", {5, 10})), "[] [-6] [] [] [-9]");
  EXPECT_EQ(text(read_column(*ntuple, "one._1", {6, 9})), R"([] ["vvv"] [])");
  EXPECT_EQ(text(read_column(*ntuple, "one._2", {0, 9})), "[] [] [[2, 2]] [] [] [[]] [] [] [[8, 8, 8]]");
  EXPECT_EQ(text(read_column(*ntuple, "items._0", {5, 8})), "[[5]] [[], [6.5]] [[7], [], [8]]");
  EXPECT_EQ(text(read_column(*ntuple, "items._1", {5, 8})), "[[]] [[600], []] [[], [701], []]");
}

TEST(Ntuple, ReadsUntypedCollectionsAndProjections) {
  const auto ntuple = open_test_file("untyped_rntuple.root");
  EXPECT_EQ(type_of(*ntuple, "jets"), "list<struct<pt: float32, id: int32>>");
  EXPECT_EQ(text(read_column(*ntuple, "jets", {21, 23})),
            "[{pt: 21, id: 210}] [{pt: 22, id: 220}, {pt: 22.5, id: 221}]");
  EXPECT_EQ(text(read_column(*ntuple, "jets.id", {3, 4})), "[30, 31, 32]");
  EXPECT_EQ(text(read_column(*ntuple, "jets_pt", {18, 23})), "[18, 18.5] [19, 19.5, 20] [] [21] [22, 22.5]");
  EXPECT_EQ(text(read_column(*ntuple, "njets", {18, 23})), "2 3 0 1 2");
  EXPECT_EQ(type_of(*ntuple, "njets64"), "uint64");
  EXPECT_EQ(text(read_column(*ntuple, "njets64", {0, 4})), "0 1 2 3");
  EXPECT_EQ(text(read_column(*ntuple, "record", {44, 45})), "{x: 44, y: -44}");
  EXPECT_EQ(ntuple->schema()[ntuple->schema().require("jets")].stored_type, "untyped collection");
}

TEST(Ntuple, ReadsRecordsStoredInSeveralKeys) {
  const auto ntuple = open_test_file("large_records_rntuple.root");
  const Column x = read_column(*ntuple, "x");
  const Column s = read_column(*ntuple, "s");
  for (int64_t i = 0; i < 200; ++i) {
    EXPECT_EQ(text(x, i), concat(i * 1000003));
    EXPECT_EQ(text(s, i), concat('"', i, '"'));
  }
}

class Slices : public testing::TestWithParam<const char*> {};

TEST_P(Slices, EqualThoseOfTheWhole) {
  const auto ntuple = open_test_file(GetParam());
  const int64_t entries = std::min<int64_t>(ntuple->num_entries(), 60);
  std::vector<size_t> columns;
  std::vector<Column> whole;
  for (size_t i = 0; i < ntuple->schema().size(); ++i) {
    if (!ntuple->schema()[i].unsupported.empty()) continue;
    columns.push_back(i);
    whole.push_back(read_column(*ntuple, ntuple->schema()[i].name));
  }
  for (int64_t start = 0; start <= entries; start += 1 + entries / 16) {
    for (int64_t stop = start; stop <= entries; stop += 1 + entries / 16) {
      const auto fetched = ntuple->fetch(columns, {start, stop}, heap_pool());
      for (size_t i = 0; i < columns.size(); ++i) {
        const Column part = ntuple->decode(*fetched, i, heap_pool());
        EXPECT_TRUE(identical(part, slice(whole[i], start, stop - start, heap_pool())))
            << ntuple->schema()[columns[i]].name << " [" << start << ", " << stop << ")";
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    Ntuple, Slices,
    testing::Values("ntpl001_staff_rntuple_v1-0-0-0.root", "test_1jag_int_float_rntuple_v1-0-0-0.root",
                    "test_int_vfloat_tlv_vtlv_rntuple_v1-0-0-0.root",
                    "test_multiple_cluster_groups_rntuple_v1-0-0-0.root",
                    "test_stl_containers_rntuple_v1-0-0-0.root", "test_atomic_bitset_rntuple_v1-0-0-0.root",
                    "late_fields_rntuple.root", "representations_rntuple.root", "untyped_rntuple.root",
                    "large_records_rntuple.root", "reals_rntuple.root", "nullable_rntuple.root",
                    "variants_rntuple.root", "attributes_rntuple.root"));

TEST(Ntuple, KeepsBasesApartAndLeavesAttributeSetsOut) {
  const auto ntuple = open_test_file("attributes_rntuple.root");
  EXPECT_EQ(ntuple->num_entries(), 20);
  const auto last = [&](const char* name) {
    return read_column(*ntuple, name, {0, 20}).values.as<const float>()[19];
  };
  EXPECT_EQ(last("object.x"), 190);
  EXPECT_EQ(last("object.:_0.x"), 19);
}

TEST(Ntuple, WritesToADestination) {
  const auto ntuple = open_test_file("untyped_rntuple.root");
  const size_t column = ntuple->schema().require("record.x");
  const auto fetched = ntuple->fetch({&column, 1}, {10, 30}, heap_pool());
  const Buffer destination(20 * sizeof(int32_t), heap_pool());
  const Column read = ntuple->decode(*fetched, 0, heap_pool(), destination);
  EXPECT_EQ(read.values.data(), destination.data());
  EXPECT_EQ(destination.as<const int32_t>()[19], 29);
  EXPECT_THROW(ntuple->decode(*fetched, 0, heap_pool(), Buffer(4, heap_pool())), SchemaError);
}

TEST(Ntuple, ListsItsPagesByEntry) {
  const auto ntuple = open_test_file("late_fields_rntuple.root");
  const std::vector<StorageBlock> blocks = ntuple->blocks(ntuple->schema().require("v"));
  EXPECT_GE(blocks.size(), 8u);  // index and values in each of 4 clusters
  EXPECT_TRUE(std::ranges::is_sorted(blocks, {}, &StorageBlock::first_entry));
  uint64_t compressed = 0;
  for (const StorageBlock& block : blocks) {
    EXPECT_LT(block.first_entry, 16);
    EXPECT_GT(block.offset, 0u);
    compressed += block.compressed_bytes;
  }
  EXPECT_EQ(compressed, ntuple->schema()[ntuple->schema().require("v")].compressed_bytes);
}

TEST(Ntuple, RefusesEntriesItDoesNotHave) {
  const auto ntuple = open_test_file("late_fields_rntuple.root");
  EXPECT_THROW(read_column(*ntuple, "a", {0, 17}), SchemaError);
  EXPECT_THROW(read_column(*ntuple, "a", {-1, 2}), SchemaError);
  EXPECT_THROW(read_column(*ntuple, "a", {3, 2}), SchemaError);
}

}  // namespace
}  // namespace sapwood::rntuple
