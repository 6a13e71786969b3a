// SPDX-License-Identifier: Apache-2.0
#include "bridge/shared_deflate.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace wattmint::bridge {
namespace {

bool Has(const ByForm<std::size_t>& takers, Form form) { return takers[IndexOf(form)] > 0; }

void AddCompressed(const SharedFrame& plain, const SharedFrame& compressed, Form form,
                   ByForm<FormedFrames>& formed) {
  FormedFrames& one = formed[IndexOf(form)];
  one.frames.push_back(compressed);
  ++one.compressed_count;
  one.bytes_before += std::ssize(*plain);
  one.bytes_after += std::ssize(*compressed);
}

}  // namespace

Form FirstForm(Compression compression) {
  switch (compression) {
    case Compression::kNone:
      return Form::kPlain;
    case Compression::kAlone:
      return Form::kAlone;
    case Compression::kStream:
      return Form::kJoining;
  }
  return Form::kPlain;
}

ByForm<FormedFrames> SharedDeflate::Make(const std::vector<SharedFrame>& plain,
                                         const ByForm<std::size_t>& takers) {
  ByForm<FormedFrames> formed;
  const bool has_stream = Has(takers, Form::kInStep) || Has(takers, Form::kJoining);
  bool is_joined = !Has(takers, Form::kJoining);  // or nobody wants to
  for (const SharedFrame& frame : plain) {
    if (PayloadOf(frame).size() < bytes_min_ || PayloadOf(frame).empty()) {
      for (FormedFrames& one : formed) one.frames.push_back(frame);
      continue;
    }
    formed[IndexOf(Form::kPlain)].frames.push_back(frame);
    if (Has(takers, Form::kAlone) || !is_joined) {
      const SharedFrame alone = deflater_.Deflate(frame, "");
      AddCompressed(frame, alone, Form::kAlone, formed);
      if (!is_joined) AddCompressed(frame, alone, Form::kJoining, formed);
    }
    if (Has(takers, Form::kInStep) || (is_joined && Has(takers, Form::kJoining))) {
      const SharedFrame in_step = deflater_.Deflate(frame, context_);
      AddCompressed(frame, in_step, Form::kInStep, formed);
      if (is_joined) AddCompressed(frame, in_step, Form::kJoining, formed);
    }
    if (!std::exchange(is_joined, true)) context_.clear();
    if (has_stream) AppendToContext(PayloadOf(frame));
  }
  if (!has_stream) context_ = {};
  return formed;
}

void SharedDeflate::AppendToContext(std::string_view message) {
  context_.append(message.substr(message.size() - std::min(message.size(), kContextBytesMax)));
  if (context_.size() > kContextBytesMax) context_.erase(0, context_.size() - kContextBytesMax);
}

}  // namespace wattmint::bridge
