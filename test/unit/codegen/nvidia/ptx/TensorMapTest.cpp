// TensorMapTest.cpp - tensormap.replace and cp_fenceproxy, seen by a load.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "test/unit/codegen/nvidia/ptx/Differential.h"

namespace heddle::ptx::test {

namespace {

/// What the changed map says; `elemtype` as `tensormap.replace` numbers it.
struct Wanted {
  unsigned elementType, bytes;
  unsigned swizzle;
  bool fillNan;
  unsigned elementStride; ///< along the rows
};

/// Where the map is changed, and how far the fences reach.
struct Spelling {
  const char *space; ///< `.global`, `.shared::cta` or nothing: generic
  std::string scope;
  bool inShared() const { return std::string_view(space) == ".shared::cta"; }
};

/// Changes every field of a map and loads a box of 8 by 16 bytes through it.
/// The tensor is 13 by 5, its rows 64 bytes apart.
std::string kernelText(const Wanted &w, const Spelling &spelling) {
  bool inShared = spelling.inShared();
  auto replace = [&](const std::string &field, const std::string &type,
                     const std::string &operands) {
    return "tensormap.replace.tile." + field + spelling.space + ".b1024." +
           type + " [%m], " + operands + ";\n";
  };
  std::string columns = std::to_string(16 / w.bytes * w.elementStride);
  std::string changes =
      replace("global_address", "b64", "%x") + replace("rank", "b32", "1") +
      replace("box_dim", "b32", "0, " + columns) +
      replace("box_dim", "b32", "1, 8") +
      replace("global_dim", "b32", "0, 13") +
      replace("global_dim", "b32", "1, 5") +
      replace("global_stride", "b64", "0, %stride") +
      replace("element_stride", "b32",
              "0, " + std::to_string(w.elementStride)) +
      replace("element_stride", "b32", "1, 1") +
      replace("elemtype", "b32", std::to_string(w.elementType)) +
      replace("interleave_layout", "b32", "0") +
      replace("swizzle_mode", "b32", std::to_string(w.swizzle)) +
      replace("fill_mode", "b32", w.fillNan ? "1" : "0");
  std::string before =
      inShared ? "mov.u32 %m, smem;\nadd.u32 %m, %m, 1024;\n"
                 "mad.lo.u32 %u, %t, 4, %m;\n"
                 "mad.wide.u32 %a, %t, 4, %map;\n"
                 "ld.global.u32 %v, [%a];\nst.shared.u32 [%u], %v;\n"
                 "bar.warp.sync -1;\n"
               : "";
  // In shared memory the map is copied back by the whole warp.
  std::string after =
      inShared
          ? "bar.warp.sync -1;\ntensormap.cp_fenceproxy.global."
            "shared::cta.tensormap::generic.release." +
                spelling.scope + ".sync.aligned [%map], [%m], 128;\n"
          : "fence.proxy.tensormap::generic.release." + spelling.scope + ";\n";
  return ".version 8.6\n.target sm_90a\n.address_size 64\n"
         ".extern .shared .align 1024 .b8 smem[];\n"
         ".visible .entry k(.param .u64 map, .param .u64 x, .param .u64 out)\n"
         "{\n.reg .b64 %map, %x, %o, %a, %stride;\n.reg " +
         std::string(inShared ? ".b32" : ".b64") +
         " %m;\n.reg .b32 %t, %u, %v, %s, %bar, %c0, %c1;\n.reg .pred %p;\n"
         "ld.param.u64 %map, [map];\nld.param.u64 %x, [x];\n"
         "ld.param.u64 %o, [out];\nmov.u32 %t, %tid.x;\nmov.u64 %stride, 64;\n"
         "mov.u32 %s, smem;\nadd.u32 %bar, %s, 2048;\n" +
         before + (inShared ? "" : "mov.u64 %m, %map;\n") +
         "setp.ne.u32 %p, %t, 0;\n@%p bra DONE;\n" + changes + "DONE:\n" +
         after + "fence.proxy.tensormap::generic.acquire." + spelling.scope +
         " [%map], 128;\n"
         "@%p bra LOADED;\nmbarrier.init.shared.b64 [%bar], 1;\n"
         "mbarrier.arrive.expect_tx.shared.b64 _, [%bar], 128;\n"
         "mov.u32 %c0, -1;\nmov.u32 %c1, -2;\n"
         "cp.async.bulk.tensor.2d.shared::cluster.global.tile."
         "mbarrier::complete_tx::bytes [%s], [%map, {%c0, %c1}], [%bar];\n"
         "LOADED:\nbar.warp.sync -1;\nWAIT:\n"
         "mbarrier.try_wait.parity.shared.b64 %p, [%bar], 0;\n@!%p bra WAIT;\n"
         "mad.lo.u32 %s, %t, 4, %s;\nld.shared.u32 %v, [%s];\n"
         "mad.wide.u32 %o, %t, 4, %o;\nst.global.u32 [%o], %v;\nret;\n}\n";
}

void check(const Wanted &w, const Spelling &spelling) {
  Kernel kernel(kernelText(w, spelling));
  std::vector<uint8_t> x(5 * 64 + 64), out(128);
  for (size_t i = 0; i < x.size(); ++i)
    x[i] = uint8_t(3 * i + 1);
  // The map as the host made it names another tensor.
  TensorMap other = matrixMap(0x1000, 64, 64, 16, 32);
  std::array<std::byte, 128> bytes = encode(other);
  std::vector<std::byte> map(bytes.begin(), bytes.end());
  kernel.addBuffer(map, "map");
  kernel.addBuffer(x, "x");
  kernel.addBuffer(out, "out", false);
  kernel.launch.block[0] = 32;
  kernel.launch.dynamicShared = 2056;
  Report report = kernel.run();
  ASSERT_TRUE(isClean(report)) << kernelText(w, spelling) << textOf(report);
  unsigned columns = 16 / w.bytes;
  for (unsigned row = 0; row < 8; ++row)
    for (unsigned column = 0; column < columns; ++column) {
      int r = int(row) - 2, c = int(column * w.elementStride) - 1;
      bool inside = r >= 0 && r < 5 && c >= 0 && c < 13;
      for (unsigned byte = 0; byte < w.bytes; ++byte) {
        size_t at = row * 16 + column * w.bytes + byte;
        uint8_t outside = !w.fillNan ? 0 : byte % 2 ? 0x7F : 0xF7;
        uint8_t want =
            inside ? x[size_t(r) * 64 + size_t(c) * w.bytes + byte] : outside;
        // One line of 128 bytes: no swizzle moves its first line.
        ASSERT_EQ(out[at], want) << "row " << row << " column " << column;
      }
    }
  recordCompared(kernel, {"tensormap.replace", "cp.async.bulk.tensor",
                          "fence.proxy.tensormap"});
  if (spelling.inShared())
    recordCompared(kernel, {"tensormap.cp_fenceproxy"});
}

} // namespace

/// Every element type by the number that `tensormap.replace` has for it.
TEST(TensorMap, ReplacedFields) {
  struct {
    unsigned bytes;
    bool isFloat;
  } elements[] = {{1, false}, {2, false}, {4, false}, {4, false}, {8, false},
                  {8, false}, {2, true},  {4, true},  {4, true},  {8, true},
                  {2, true},  {4, true},  {4, true}};
  const char *scopes[] = {"cta", "cluster", "gpu", "sys"};
  unsigned turn = 0;
  for (const char *space : {".global", ".shared::cta", ""})
    for (unsigned swizzle : {0u, 1u, 2u, 3u})
      for (unsigned stride : {1u, 2u})
        for (unsigned i = 0; i < std::size(elements); ++i, ++turn)
          check({i, elements[i].bytes, swizzle, elements[i].isFloat && turn % 2,
                 stride},
                {space, scopes[turn % 4]});
}

/// What ptxas refuses as well.
TEST(TensorMap, FormsThatAreNone) {
  auto isTaken = [](const std::string &text) {
    return isCovered({text + ";",
                      32,
                      {},
                      ".reg .b64 %map, %wide; .reg .b32 %near, %word;",
                      "",
                      ".version 8.6\n.target sm_90a\n"});
  };
  const std::string replace = "tensormap.replace.tile.";
  EXPECT_TRUE(
      isTaken(replace + "global_address.global.b1024.b64 [%map], %wide"));
  EXPECT_FALSE(
      isTaken(replace + "global_address.global.b1024.b32 [%map], %word"));
  EXPECT_TRUE(isTaken(replace + "box_dim.b1024.b32 [%map], 4, %word"));
  EXPECT_FALSE(isTaken(replace + "box_dim.b1024.b32 [%map], 5, %word"));
  EXPECT_FALSE(isTaken(replace + "box_dim.b1024.b64 [%map], 4, %wide"));
  EXPECT_TRUE(isTaken(replace + "rank.shared::cta.b1024.b32 [%near], %word"));
  for (const char *space : {"shared", "shared::cluster", "local", "const"})
    EXPECT_FALSE(
        isTaken(replace + "rank." + space + ".b1024.b32 [%near], %word"))
        << space;
  for (auto [field, choices] :
       {std::pair("elemtype", 13), std::pair("interleave_layout", 3),
        std::pair("swizzle_mode", 4), std::pair("fill_mode", 2)}) {
    std::string start = replace + field + ".global.b1024.b32 [%map], ";
    EXPECT_TRUE(isTaken(start + std::to_string(choices - 1))) << field;
    EXPECT_FALSE(isTaken(start + std::to_string(choices))) << field;
    EXPECT_FALSE(isTaken(start + "%word")) << field << " must be a constant";
  }
  const std::string fence = ".tensormap::generic.release.gpu.sync.aligned "
                            "[%map], [%near], 128";
  EXPECT_TRUE(isTaken("tensormap.cp_fenceproxy.global.shared::cta" + fence));
  EXPECT_FALSE(isTaken("tensormap.cp_fenceproxy.shared::cta.global" + fence));
}

} // namespace heddle::ptx::test
