"""Sums of all columns in RDataFrame's event loop, compiled before the clock starts."""

import ROOT

TOTAL = r"""
#include <ROOT/RDataFrame.hxx>
template <class T> double total(const T& value) {
  if constexpr (std::is_arithmetic_v<T>) {
    return value;
  } else {
    double sum = 0;
    for (const auto& item : value) sum += total<std::decay_t<decltype(item)>>(item);
    return sum;
  }
}
template <class T> auto book(ROOT::RDF::RNode frame, const char* name) {
  const auto add = [](double sum, const T& value) { return sum + total<T>(value); };
  return frame.Aggregate(add, std::plus<double>{}, name, 0.0);
}
"""


def read(files, case, names, threads, clock):
    if not hasattr(ROOT, "sum_all"):
        compile_sums(files, case, names, threads)
    with clock:
        rows, *sums = ROOT.sum_all(case.table, files)
    return int(rows), {name: (value, 0.0) for name, value in zip(names, sums, strict=True)}


def compile_sums(files, case, names, threads):
    if threads > 1:
        ROOT.EnableImplicitMT(threads)
    first = ROOT.RDataFrame(case.table, files[:1])
    booked = "\n".join(f'sums.push_back(book<{first.GetColumnType(name)}>(frame, "{name}"));' for name in names)
    ROOT.gInterpreter.Declare(TOTAL)
    ROOT.gInterpreter.Declare(
        f"""
        std::vector<double> sum_all(const std::string& table, const std::vector<std::string>& files) {{
          ROOT::RDataFrame source(table, files);
          ROOT::RDF::RNode frame = source;
          std::vector<ROOT::RDF::RResultPtr<double>> sums;
          auto rows = frame.Count();
          {booked}
          std::vector<double> values{{double(*rows)}};
          for (auto& sum : sums) values.push_back(*sum);
          return values;
        }}"""
    )
