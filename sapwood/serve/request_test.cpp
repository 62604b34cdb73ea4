// What requests are made of: HTTP, JSON, protobuf, forms, compressed bodies.
#include <gtest/gtest.h>
#include <zlib.h>

#include <array>
#include <cmath>
#include <cstring>
#include <limits>

#include "sapwood/serve/http_parser.h"
#include "sapwood/serve/inflate.h"
#include "sapwood/serve/json_text.h"
#include "sapwood/serve/multipart.h"
#include "sapwood/serve/open_inference.h"
#include "sapwood/serve/status_error.h"
#include "sapwood/serve/test_model.h"
#include "sapwood/serve/tfaas.h"

namespace sapwood::serve {
namespace {

std::string padded(std::string text) {
  text.reserve(text.size() + HttpRequest::kPadding);
  return text;
}

std::string message_of(const auto& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(HttpParser, TakesRequestsApartHoweverTheyArrive) {
  const std::string two =
      "POST /json?a=b HTTP/1.1\r\nContent-Length: 5\r\ninference-header-content-length: 3\r\n\r\nhello"
      "GET /x HTTP/1.1\r\nConnection: close\r\n\r\n";
  for (const size_t step : {size_t{1}, size_t{7}, two.size()}) {
    HttpParser parser(HttpLimits{});
    std::string pending;
    std::vector<std::string> seen;
    for (size_t at = 0; at < two.size(); at += step) {
      pending += two.substr(at, step);
      size_t used = 0;
      while (!pending.empty() && parser.feed(pending, used) == HttpParser::Status::kDone) {
        pending.erase(0, used);
        const HttpRequest& request = parser.request();
        seen.push_back(concat(request.path(), " ", request.body, " ", request.inference_header_length, " ",
                              parser.keep_alive()));
        EXPECT_GE(request.body.capacity(), request.body.size() + HttpRequest::kPadding);
        parser.reset();
        used = 0;
      }
      pending.erase(0, used);
    }
    EXPECT_EQ(seen, (std::vector<std::string>{"/json hello 3 1", "/x   0"}));
  }
}

TEST(HttpParser, KeepsToItsLimits) {
  const auto status = [](const std::string& text) {
    HttpParser parser({.header_bytes = 200, .body_bytes = 10});
    size_t used = 0;
    return parser.feed(text, used);
  };
  EXPECT_EQ(status("GET / HTTP/1.1\r\nA: " + std::string(300, 'a') + "\r\n\r\n"),
            HttpParser::Status::kHeaderTooLarge);
  EXPECT_EQ(status("POST / HTTP/1.1\r\nContent-Length: 11\r\n\r\n"), HttpParser::Status::kBodyTooLarge);
  EXPECT_EQ(status("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nb\r\n12345678901\r\n"),
            HttpParser::Status::kBodyTooLarge);
  EXPECT_EQ(status("POST / HTTP/1.1\r\nContent-Length: 10\r\n\r\n1234567890"), HttpParser::Status::kDone);
  EXPECT_EQ(status("POST / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n"), HttpParser::Status::kBad);
  EXPECT_EQ(status("what\r\n\r\n"), HttpParser::Status::kBad);
}

TEST(JsonText, NumbersComeBackAsTheyWere) {
  std::string out;
  const std::array values{0.1f, -1e-30f, 16777216.f, std::numeric_limits<float>::infinity(), std::nanf("")};
  append_json_numbers(out, DType::kFloat32, std::as_bytes(std::span(values)));
  EXPECT_EQ(out, "0.1,-1e-30,16777216,null,null");
  out.clear();
  const std::array<int64_t, 2> integers{-1, std::numeric_limits<int64_t>::max()};
  append_json_tensor(out, DType::kInt64, std::array<int64_t, 2>{2, 1}, std::as_bytes(std::span(integers)));
  EXPECT_EQ(out, "[[-1],[9223372036854775807]]");
  out.clear();
  append_json_string(out, "a\"\n\xff");
  EXPECT_EQ(out, "\"a\\\"\\n\xef\xbf\xbd\"");
}

TEST(OpenInference, ReadsNestedAndBinaryTensors) {
  const SumModel model;
  simdjson::dom::parser parser;
  const std::string nested = padded(
      R"({"id": "7", "inputs": [{"name": "x", "datatype": "FP32", "shape": [2, 2], "data": [[1, 2], [3, null]]}]})");
  const InferRequest request = parse_infer(parser, nested, {}, model);
  const auto values = request.inputs[0].data.as<const float>();
  EXPECT_EQ(values[2], 3);
  EXPECT_TRUE(std::isnan(values[3]));
  EXPECT_EQ(request.id, "7");

  const std::string binary = padded(
      R"({"inputs": [{"name": "x", "datatype": "FP32", "shape": [1, 2], "parameters": {"binary_data_size": 8}}],
          "outputs": [{"name": "sum", "parameters": {"binary_data": true}}]})");
  const std::array row{1.5f, 2.5f};
  const std::string_view tail(static_cast<const char*>(static_cast<const void*>(row.data())), sizeof row);
  const InferRequest other = parse_infer(parser, binary, tail, model);
  EXPECT_EQ(other.inputs[0].data.as<const float>()[1], 2.5f);
  ASSERT_TRUE(other.outputs[0].binary);

  const OutputRows rows{std::make_shared<const std::vector<Tensor>>(model.run(other.inputs)), 0, 1, true};
  const InferResponse response = format_infer(other, model, rows, "m", 3);
  ASSERT_TRUE(response.json_size);
  EXPECT_EQ(
      response.body.substr(0, *response.json_size),
      R"({"model_name":"m","model_version":"3","outputs":[{"name":"sum","datatype":"FP32","shape":[1,1],)"
      R"("parameters":{"binary_data_size":4}}]})");
  float sum = 0;
  ASSERT_EQ(response.body.size(), *response.json_size + 4);
  std::memcpy(&sum, response.body.data() + *response.json_size, 4);
  EXPECT_EQ(sum, 4);
}

TEST(Tfaas, RowsBecomeTensors) {
  simdjson::dom::parser parser;
  const Servable servable{.name = "m", .model = std::make_shared<SumModel>()};
  const std::string json = padded(R"({"keys": ["a", "b"], "values": [1, 2.5], "model": "m", "more": {}})");
  const TfaasRow row = parse_tfaas_json(parser, json);
  EXPECT_EQ(row.model, "m");
  const auto tensors = tensors_of_row(servable, row);
  EXPECT_EQ(tensors[0].shape, (std::vector<int64_t>{1, 2}));
  EXPECT_EQ(tensors[0].data.as<const float>()[1], 2.5f);

  std::string proto =
      "\x0a\x01"
      "a\x0a\x01"
      "b\x12\x08";
  const std::array values{1.f, 2.f};
  proto.append(static_cast<const char*>(static_cast<const void*>(values.data())), sizeof values);
  proto += "\x1a\x01m\x20\x05";  // and an unknown field
  const TfaasRow from_proto = parse_tfaas_proto(proto);
  EXPECT_EQ(from_proto.keys, (std::vector<std::string_view>{"a", "b"}));
  EXPECT_EQ(from_proto.values, (std::vector<double>{1, 2}));
  EXPECT_EQ(from_proto.model, "m");
  for (size_t size = 1; size < 6; ++size) {
    EXPECT_THROW(parse_tfaas_proto(std::string_view(proto).substr(0, size)), StatusError) << size;
  }
}

TEST(Tfaas, KeysAreMatchedWithColumns) {
  Servable servable{.name = "m", .model = std::make_shared<SumModel>()};
  ColumnInfo pt;
  pt.name = "pt";
  pt.type = TypeKind::kFloat32;
  ColumnInfo n;
  n.name = "n";
  n.type = TypeKind::kInt32;
  servable.columns = Schema({pt, n});
  servable.prepare = [](std::vector<Column> columns) {
    return std::vector<Tensor>{
        float_tensor({1, 2}, std::array{columns[0].values.as<const float>()[0],
                                        static_cast<float>(columns[1].values.as<const int32_t>()[0])})};
  };
  const auto second = [&](TfaasRow row) {
    return tensors_of_row(servable, row)[0].data.as<const float>()[1];
  };
  EXPECT_EQ(second({.keys = {"n", "pt"}, .values = {3, 4.5}, .model = {}}), 3);
  EXPECT_EQ(second({.keys = {}, .values = {4.5, 3}, .model = {}}), 3);
  EXPECT_EQ(message_of([&] {
              second({.keys = {"m", "pt"}, .values = {3, 4.5}, .model = {}});
            }),
            "key 'n' is missing (nearest: m)");
  EXPECT_EQ(message_of([&] {
              second({.keys = {}, .values = {1, 2.5}, .model = {}});
            }),
            "'n' is an integer, not 2.5");
}

TEST(Form, PartsAreFound) {
  const std::string body =
      "preamble\r\n--b\r\nContent-Disposition: form-data; name=\"name\"\r\n\r\nvalue\r\n--b\r\n"
      "content-disposition: form-data; name=model; filename=\"a;b.tar\"\r\nContent-Transfer-Encoding: "
      "base64\r\n\r\n"
      "\r\n--x\r\n\r\n--b--\r\n";
  const auto parts = parse_form("multipart/form-data; boundary=b", body);
  ASSERT_EQ(parts.size(), 2u);
  EXPECT_EQ(parts[0].name, "name");
  EXPECT_EQ(parts[0].content, "value");
  EXPECT_EQ(parts[1].name, "model");
  EXPECT_EQ(parts[1].file_name, "a;b.tar");
  EXPECT_EQ(parts[1].transfer_encoding, "base64");
  EXPECT_EQ(parts[1].content, "\r\n--x\r\n");
  for (size_t size = 0; size < body.size() - 3; ++size) {
    EXPECT_THROW(parse_form("multipart/form-data; boundary=b", body.substr(0, size)), StatusError) << size;
  }
  EXPECT_THROW(parse_form("multipart/form-data", body), StatusError);
}

TEST(Inflate, KeepsToTheLimit) {
  const std::string text(100'000, 'a');
  std::string compressed(compressBound(text.size()), '\0');
  uLongf size = compressed.size();
  const auto bytes = [](auto& string) { return static_cast<Bytef*>(static_cast<void*>(string.data())); };
  std::string source = text;
  ASSERT_EQ(compress(bytes(compressed), &size, bytes(source), source.size()), Z_OK);
  compressed.resize(size);
  EXPECT_EQ(inflate_body(compressed, text.size()), text);
  EXPECT_EQ(message_of([&] { inflate_body(compressed, 1000); }),
            "the body is larger than 1000 bytes when decompressed");
  EXPECT_THROW(inflate_body(compressed.substr(0, size - 5), text.size()), StatusError);
  EXPECT_THROW(inflate_body("", 10), StatusError);
}

}  // namespace
}  // namespace sapwood::serve
