// A patch's view of the exported band: plain libtorch, no Python. Reads and writes raw float32.
// loader BAND.ts IN.f32 OUT.f32 BLOCK[,BLOCK...]
#include <algorithm>
#include <cstdint>
#include <fstream>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

#include <ATen/Parallel.h>
#include <torch/script.h>

int main(int count, char** words) {
    if (count != 5) {
        std::cerr << "loader BAND.ts IN.f32 OUT.f32 BLOCK[,BLOCK...]\n";
        return 2;
    }
    std::ifstream in(words[2], std::ios::binary | std::ios::ate);
    std::vector<float> sound(static_cast<std::size_t>(in.tellg()) / sizeof(float));
    in.seekg(0);
    in.read(reinterpret_cast<char*>(sound.data()), static_cast<std::streamsize>(sound.size() * sizeof(float)));
    std::vector<std::int64_t> blocks;
    std::istringstream list(words[4]);
    for (std::string word; std::getline(list, word, ',');) blocks.push_back(std::stoll(word));

    torch::InferenceMode no_gradients;
    at::set_num_threads(1);
    torch::jit::script::Module band = torch::jit::load(words[1]);
    const auto set = [&](const char* name, const c10::IValue& value) {
        return band.get_method(std::string("set_") + name)({value}).toInt();
    };
    if (set("tempo_bpm", 100.0) != 0 || set("beats_per_bar", 3) != 0 || set("seed", 7) != 0 ||
        set("restart", true) != 0 || set("tempo_bpm", -1.0) != -1) {
        std::cerr << "an attribute was not taken as it should be\n";
        return 1;
    }
    // nn~ 1.6.0 and later: what a getter gives must be a list or a tuple, with one value for each kind in NAME_params.
    const auto names = band.get_method("get_attributes")({}).toList();
    for (std::size_t i = 0; i < names.size(); ++i) {
        const auto name = names.get(i).toStringRef();
        const auto got = band.get_method("get_" + name)({});
        const auto values = got.isList() ? got.toList().vec() : got.toTuple()->elements().vec();
        if (static_cast<std::int64_t>(values.size()) != band.attr(name + "_params").toTensor().numel()) {
            std::cerr << name << " cannot be read as nn~ reads it\n";
            return 1;
        }
    }
    std::ofstream out(words[3], std::ios::binary);
    const auto all = static_cast<std::int64_t>(sound.size());
    for (std::int64_t done = 0, turn = 0; done < all; ++turn) {
        const auto n = std::min(blocks[static_cast<std::size_t>(turn) % blocks.size()], all - done);
        const auto made = band.forward({torch::from_blob(sound.data() + done, {1, 1, n}).clone()}).toTensor();
        if (made.size(0) != 1 || made.size(1) != 3 || made.size(2) != n) return 1;
        const auto rows = made[0].t().contiguous();  // interleaved, as patches write them
        out.write(reinterpret_cast<const char*>(rows.data_ptr<float>()), static_cast<std::streamsize>(3 * n * 4));
        done += n;
    }
    return out.good() ? 0 : 1;
}
