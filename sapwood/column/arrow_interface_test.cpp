#include "sapwood/column/arrow_interface.h"

#include <gtest/gtest.h>

#include "sapwood/base/error.h"
#include "sapwood/column/arrow_format.h"
#include "sapwood/column/test_columns.h"

namespace sapwood {
namespace {

const std::shared_ptr<MemoryPool> kPool = heap_pool();

template <class Exported>
struct Releasing : Exported {
  Releasing() : Exported{} {}
  ~Releasing() {
    if (this->release != nullptr) this->release(this);
  }
};

// An array as another producer might make it: the parts are the test's own, and releases are counted.
struct ForeignArray : ArrowArray {
  ForeignArray(int64_t array_length, std::vector<const void*> array_buffers)
      : ArrowArray{}, addresses(std::move(array_buffers)) {
    length = array_length;
    null_count = -1;
    n_buffers = static_cast<int64_t>(addresses.size());
    buffers = addresses.data();
    private_data = &releases;
    release = [](ArrowArray* array) {
      ++*static_cast<int*>(array->private_data);
      array->release = nullptr;
    };
  }
  void add_child(ForeignArray& child) {
    child_pointers.push_back(&child);
    children = child_pointers.data();
    n_children = static_cast<int64_t>(child_pointers.size());
  }
  std::vector<const void*> addresses;
  std::vector<ArrowArray*> child_pointers;
  int releases = 0;
};

struct ForeignSchema : ArrowSchema {
  explicit ForeignSchema(const char* schema_format, std::vector<ArrowSchema*> schema_children = {})
      : ArrowSchema{}, child_pointers(std::move(schema_children)) {
    format = schema_format;
    name = "column";
    children = child_pointers.data();
    n_children = static_cast<int64_t>(child_pointers.size());
  }
  std::vector<ArrowSchema*> child_pointers;
};

TEST(ArrowInterface, ImportGivesWhatWasExported) {
  for (const auto& [name, column] : one_column_of_each_kind()) {
    Releasing<ArrowSchema> schema;
    Releasing<ArrowArray> array;
    export_schema(column.type, name, &schema);
    export_array(column, &array);
    EXPECT_EQ(schema.name, name);
    EXPECT_EQ(type_of(schema), column.type) << name;
    const Column imported = import_array(schema, &array, kPool);
    EXPECT_EQ(array.release, nullptr);
    EXPECT_TRUE(identical(imported, column)) << name;
  }
}

TEST(ArrowInterface, ImportReadsSlices) {
  for (const auto& [name, column] : one_column_of_each_kind()) {
    for (int64_t start = 0; start <= column.length; ++start) {
      Releasing<ArrowSchema> schema;
      Releasing<ArrowArray> array;
      export_schema(column.type, name, &schema);
      export_array(column, &array);
      array.offset = start;
      array.length = (column.length - start + 1) / 2;
      const Column expected = slice(column, start, array.length, kPool);
      EXPECT_TRUE(identical(import_array(schema, &array, kPool), expected)) << name << " from " << start;
    }
  }
}

TEST(ArrowInterface, ExportSharesTheBuffers) {
  const Column column = numbers({1, 2, 3});
  Releasing<ArrowSchema> schema;
  Releasing<ArrowArray> array;
  export_schema(column.type, "n", &schema);
  export_array(column, &array);
  EXPECT_EQ(array.buffers[1], column.values.data());
  EXPECT_EQ(import_array(schema, &array, kPool).values.data(), column.values.data());
}

TEST(ArrowInterface, ExportPacksBools) {
  Releasing<ArrowArray> array;
  export_array(bools({1, 0, 1, 0, 0, 0, 0, 0, 1}), &array);
  const auto* bits = static_cast<const uint8_t*>(array.buffers[1]);
  EXPECT_EQ(bits[0], 0b101);
  EXPECT_EQ(bits[1], 0b1);
}

TEST(ArrowInterface, AChildMayBeMovedOut) {
  const Column column = numbers_in_lists({{1, 2}, {3}});
  ArrowArray moved{};
  {
    Releasing<ArrowArray> array;
    export_array(column, &array);
    moved = *array.children[0];
    array.children[0]->release = nullptr;
  }
  EXPECT_EQ(static_cast<const int32_t*>(moved.buffers[1])[2], 3);
  moved.release(&moved);
  EXPECT_EQ(moved.release, nullptr);
}

TEST(ArrowInterface, FormatsAreThoseOfTheSpecification) {
  EXPECT_EQ(arrow_format({TypeKind::kFloat32}), "f");
  EXPECT_EQ(arrow_format({TypeKind::kUInt64}), "L");
  EXPECT_EQ(arrow_format(Type::fixed_list({TypeKind::kInt8}, 12)), "+w:12");
  EXPECT_EQ(arrow_format(Type::list({TypeKind::kInt8})), "+L");
}

TEST(ArrowInterface, ImportWidensOffsetsOf32Bits) {
  ForeignSchema item("i");
  const ForeignSchema schema("+l", {&item});
  const std::vector<int32_t> values{10, 11, 12, 13, 14};
  const std::vector<int32_t> offsets{0, 2, 2, 5};
  ForeignArray items(5, {nullptr, values.data()});
  ForeignArray array(3, {nullptr, offsets.data()});
  array.add_child(items);
  EXPECT_TRUE(identical(import_array(schema, &array, kPool), numbers_in_lists({{10, 11}, {}, {12, 13, 14}})));

  ForeignArray sliced(2, {nullptr, offsets.data()});
  sliced.offset = 1;
  sliced.add_child(items);
  EXPECT_TRUE(identical(import_array(schema, &sliced, kPool), numbers_in_lists({{}, {12, 13, 14}})));
}

TEST(ArrowInterface, ImportAddsTheOffsetsOfLevels) {
  ForeignSchema member("i");
  const ForeignSchema schema("+s", {&member});
  const std::vector<int32_t> values{0, 1, 2, 3, 4, 5};
  ForeignArray child(5, {nullptr, values.data()});
  child.offset = 1;
  ForeignArray array(2, {nullptr});
  array.offset = 2;
  array.add_child(child);
  const Column column = import_array(schema, &array, kPool);
  EXPECT_TRUE(identical(column.children[0], numbers({3, 4})));
}

TEST(ArrowInterface, ImportCopiesUnalignedValues) {
  const ForeignSchema schema("i");
  const std::vector<int32_t> values{1, 2, 3};
  std::vector<std::byte> memory(13);
  std::copy_n(std::as_bytes(std::span(values)).begin(), 12, memory.begin() + 1);
  ForeignArray array(3, {nullptr, memory.data() + 1});
  EXPECT_TRUE(identical(import_array(schema, &array, kPool), numbers({1, 2, 3})));
}

TEST(ArrowInterface, ImportRefusesNullsOnlyWhereThereAreSome) {
  const ForeignSchema schema("i");
  const std::vector<int32_t> values{1, 2, 3, 4};
  const uint8_t valid = 0b1110;
  ForeignArray with_null(4, {&valid, values.data()});
  EXPECT_THROW(import_array(schema, &with_null, kPool), UnsupportedError);
  EXPECT_EQ(with_null.releases, 1);
  ForeignArray without(3, {&valid, values.data()});
  without.offset = 1;
  EXPECT_TRUE(identical(import_array(schema, &without, kPool), numbers({2, 3, 4})));
}

TEST(ArrowInterface, TheArrayIsReleasedWithTheLastBuffer) {
  const ForeignSchema schema("i");
  const std::vector<int32_t> values{1, 2};
  ForeignArray array(2, {nullptr, values.data()});
  {
    Column column = import_array(schema, &array, kPool);
    const Column copy = column;
    column = {};
    EXPECT_EQ(array.releases, 0);
    EXPECT_EQ(copy.values.data(), std::as_bytes(std::span(values)).data());
  }
  EXPECT_EQ(array.releases, 1);
}

TEST(ArrowInterface, ImportRefusesTypesItDoesNotRead) {
  const std::vector<int32_t> values{1, 2};
  for (const char* format : {"tdD", "e", "d:19,10", "+m", "n", "z", "+us:0,1", ""}) {
    const ForeignSchema schema(format);
    ForeignArray array(2, {nullptr, values.data()});
    EXPECT_THROW(import_array(schema, &array, kPool), UnsupportedError) << format;
    EXPECT_EQ(array.releases, 1);
  }
  ForeignSchema dictionary("i");
  dictionary.dictionary = &dictionary;
  EXPECT_THROW(type_of(dictionary), UnsupportedError);
  ForeignSchema endless("+l", {nullptr});
  endless.child_pointers[0] = &endless;
  EXPECT_THROW(type_of(endless), UnsupportedError);
}

TEST(ArrowInterface, ImportRefusesContradictions) {
  const std::vector<int32_t> values{1, 2};
  ForeignSchema item("i");
  EXPECT_THROW(type_of(ForeignSchema("+l")), FormatError);
  EXPECT_THROW(type_of(ForeignSchema("+w:x", {&item})), FormatError);

  const auto refuses = [](const ForeignSchema& schema, ForeignArray array) {
    array.buffers = array.addresses.data();
    array.children = array.child_pointers.data();
    array.private_data = &array.releases;
    EXPECT_THROW(import_array(schema, &array, kPool), FormatError);
  };
  refuses(item, ForeignArray(2, {nullptr}));           // a buffer too few
  refuses(item, ForeignArray(2, {nullptr, nullptr}));  // no values
  refuses(item, ForeignArray(-1, {nullptr, values.data()}));

  const ForeignSchema list("+l", {&item});
  refuses(list, ForeignArray(1, {nullptr, values.data()}));  // no child
  ForeignArray items(2, {nullptr, values.data()});
  const std::vector<int32_t> beyond{0, 3};
  const std::vector<int32_t> backwards{2, 0};
  for (const auto& offsets : {beyond, backwards}) {
    ForeignArray array(1, {nullptr, offsets.data()});
    array.add_child(items);
    refuses(list, array);
  }
  ForeignArray released(2, {nullptr, values.data()});
  released.release = nullptr;
  EXPECT_THROW(import_array(item, &released, kPool), FormatError);
}

}  // namespace
}  // namespace sapwood
