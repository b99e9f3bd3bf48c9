#include "kernels/device/cudnn/graph.cuh"

namespace melgrad::kernel::cudnn {
namespace {

// The three passes differ only in the names of their attributes.
struct OperationNames {
  cudnnBackendDescriptorType_t type;
  cudnnBackendAttributeName_t convolution, x, w, y, alpha, beta;
};

const OperationNames& names_of(ConvolutionPass pass) {
  static constexpr OperationNames forward{CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR,
                                          CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC,
                                          CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X,
                                          CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W,
                                          CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y,
                                          CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA,
                                          CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA};
  static constexpr OperationNames backward_data{CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR,
                                                CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_CONV_DESC,
                                                CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DX,
                                                CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_W,
                                                CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DY,
                                                CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_ALPHA,
                                                CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_BETA};
  static constexpr OperationNames backward_filter{CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_FILTER_DESCRIPTOR,
                                                  CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_CONV_DESC,
                                                  CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_X,
                                                  CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DW,
                                                  CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DY,
                                                  CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_ALPHA,
                                                  CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_BETA};
  switch (pass) {
    case ConvolutionPass::forward:
      return forward;
    case ConvolutionPass::backward_data:
      return backward_data;
    case ConvolutionPass::backward_filter:
      break;
  }
  return backward_filter;
}

cudnnDataType_t data_type(DType dtype) {
  switch (dtype) {
    case DType::float32:
      return CUDNN_DATA_FLOAT;
    case DType::bfloat16:
      return CUDNN_DATA_BFLOAT16;
    case DType::float16:
      return CUDNN_DATA_HALF;
    default:
      fail("no convolution for elements of type {}", name_of(dtype));
  }
}

// Extents are in cuDNN's order, NCHW; the strides make the memory NHWC.
Descriptor tensor(TensorId id, DType dtype, int64_t n, int64_t channels, int64_t height, int64_t width) {
  constexpr int64_t alignment = 16;
  Descriptor descriptor(CUDNN_BACKEND_TENSOR_DESCRIPTOR);
  descriptor.set(CUDNN_ATTR_TENSOR_UNIQUE_ID, int64_t{id});
  descriptor.set(CUDNN_ATTR_TENSOR_DATA_TYPE, data_type(dtype));
  descriptor.set(CUDNN_ATTR_TENSOR_DIMENSIONS, std::vector{n, channels, height, width});
  descriptor.set(CUDNN_ATTR_TENSOR_STRIDES,
                 std::vector{height * width * channels, int64_t{1}, width * channels, channels});
  descriptor.set(CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, alignment);
  descriptor.finalize("cuDNN tensor");
  return descriptor;
}

Descriptor geometry(const Conv2d& conv) {
  const std::vector strides{conv.stride, conv.stride}, padding{conv.padding, conv.padding};
  Descriptor descriptor(CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR);
  descriptor.set(CUDNN_ATTR_CONVOLUTION_COMP_TYPE, CUDNN_DATA_FLOAT);
  descriptor.set(CUDNN_ATTR_CONVOLUTION_CONV_MODE, CUDNN_CROSS_CORRELATION);
  descriptor.set(CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS, int64_t{2});
  descriptor.set(CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, strides);
  descriptor.set(CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, padding);
  descriptor.set(CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, padding);
  descriptor.set(CUDNN_ATTR_CONVOLUTION_DILATIONS, std::vector<int64_t>{1, 1});
  descriptor.finalize("cuDNN convolution");
  return descriptor;
}

// True for the notes that mean a loss of precision: sums in less than float32, products of rounded values, and Winograd
// algorithms with large tiles.
bool is_loss(cudnnBackendNumericalNote_t note) {
  return note == CUDNN_NUMERICAL_NOTE_DOWN_CONVERT_INPUTS || note == CUDNN_NUMERICAL_NOTE_REDUCED_PRECISION_REDUCTION ||
         note == CUDNN_NUMERICAL_NOTE_WINOGRAD_TILE_6x6 || note == CUDNN_NUMERICAL_NOTE_WINOGRAD_TILE_13x13;
}

// Reads the engine, the knobs and the notes of an engine configuration.
Configuration read(Descriptor descriptor) {
  Configuration result{.descriptor = std::move(descriptor), .choice = {}};
  const Descriptor& config = result.descriptor;
  const auto engines = config.get_descriptors(CUDNN_ATTR_ENGINECFG_ENGINE, CUDNN_BACKEND_ENGINE_DESCRIPTOR, 1);
  const Descriptor& engine = engines.at(0);
  result.choice.engine = engine.get<int64_t>(CUDNN_ATTR_ENGINE_GLOBAL_INDEX);
  for (const Descriptor& knob : config.get_descriptors(CUDNN_ATTR_ENGINECFG_KNOB_CHOICES,
                                                       CUDNN_BACKEND_KNOB_CHOICE_DESCRIPTOR, CUDNN_KNOB_TYPE_COUNTS)) {
    result.choice.knobs.emplace_back(knob.get<cudnnBackendKnobType_t>(CUDNN_ATTR_KNOB_CHOICE_KNOB_TYPE),
                                     knob.get<int64_t>(CUDNN_ATTR_KNOB_CHOICE_KNOB_VALUE));
  }
  for (const auto note :
       engine.get_all<cudnnBackendNumericalNote_t>(CUDNN_ATTR_ENGINE_NUMERICAL_NOTE, CUDNN_NUMERICAL_NOTE_TYPE_COUNT)) {
    result.tensor_cores |= note == CUDNN_NUMERICAL_NOTE_TENSOR_CORE;
    result.loses_precision |= is_loss(note);
    result.nondeterministic |= note == CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC;
  }
  return result;
}

}  // namespace

#if CUDNN_VERSION >= 91100

Target Target::described_by(const std::string& json) {
  Descriptor chip(CUDNN_BACKEND_DEVICEPROP_DESCRIPTOR);
  chip.set(CUDNN_ATTR_DEVICEPROP_JSON_REPRESENTATION, std::vector<char>(json.begin(), json.end()));
  chip.finalize("description of a chip");
  Target target(nullptr);
  target.chip_ = std::make_shared<const Descriptor>(std::move(chip));
  return target;
}

#else

Target Target::described_by(const std::string&) {
  fail("cuDNN {} makes plans only for an installed GPU; plans for a described chip need cuDNN 9.11", CUDNN_VERSION);
}

#endif

void Target::set_chip(Descriptor& descriptor, cudnnBackendAttributeName_t name) const {
  if (chip_) descriptor.set(name, *chip_);
}

Graph::Graph(const Convolution& convolution, const Target& target)
    : target_(target), graph_(CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR) {
  const auto& [pass, dtype, conv, tf32] = convolution;
  const OperationNames& names = names_of(pass);
  Descriptor& operation = operations_.emplace_back(names.type);
  const auto add_operand = [&](cudnnBackendAttributeName_t name, Descriptor operand) {
    operation.set(name, operand);
    operands_.push_back(std::move(operand));
  };
  add_operand(names.convolution, geometry(conv));
  add_operand(names.x, tensor(id_x, dtype, conv.batch, conv.in_channels, conv.height, conv.width));
  add_operand(names.w, tensor(id_w, dtype, conv.out_channels, conv.in_channels, conv.kernel_height, conv.kernel_width));
  add_operand(names.y, tensor(id_y, dtype, conv.batch, conv.out_channels, conv.out_height(), conv.out_width()));
  operation.set(names.alpha, 1.0f);
  operation.set(names.beta, 0.0f);
  operation.finalize("cuDNN operation");

  graph_.set(CUDNN_ATTR_OPERATIONGRAPH_OPS, operations_);
  if (target_.handle()) graph_.set(CUDNN_ATTR_OPERATIONGRAPH_HANDLE, target_.handle());
  graph_.finalize("cuDNN operation graph");
}

std::vector<Configuration> Graph::configurations(cudnnBackendHeurMode_t mode) const {
  constexpr size_t most = 128;  // more than cuDNN has ever returned
  Descriptor heuristics(CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR);
  heuristics.set(CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, graph_);
  heuristics.set(CUDNN_ATTR_ENGINEHEUR_MODE, mode);
  target_.set_chip(heuristics, CUDNN_ATTR_ENGINEHEUR_DEVICEPROP);
  heuristics.finalize("cuDNN heuristics");
  std::vector<Configuration> configurations;
  for (Descriptor& descriptor :
       heuristics.get_descriptors(CUDNN_ATTR_ENGINEHEUR_RESULTS, CUDNN_BACKEND_ENGINECFG_DESCRIPTOR, most)) {
    configurations.push_back(read(std::move(descriptor)));
  }
  return configurations;
}

Configuration Graph::configuration(const EngineChoice& choice) const {
  Descriptor engine(CUDNN_BACKEND_ENGINE_DESCRIPTOR);
  engine.set(CUDNN_ATTR_ENGINE_OPERATION_GRAPH, graph_);
  engine.set(CUDNN_ATTR_ENGINE_GLOBAL_INDEX, choice.engine);
  target_.set_chip(engine, CUDNN_ATTR_ENGINE_DEVICEPROP);
  engine.finalize("cuDNN engine");

  std::vector<Descriptor> knobs;
  for (const auto& [type, value] : choice.knobs) {
    Descriptor& knob = knobs.emplace_back(CUDNN_BACKEND_KNOB_CHOICE_DESCRIPTOR);
    knob.set(CUDNN_ATTR_KNOB_CHOICE_KNOB_TYPE, static_cast<cudnnBackendKnobType_t>(type));
    knob.set(CUDNN_ATTR_KNOB_CHOICE_KNOB_VALUE, value);
    knob.finalize("cuDNN knob");
  }
  Descriptor config(CUDNN_BACKEND_ENGINECFG_DESCRIPTOR);
  config.set(CUDNN_ATTR_ENGINECFG_ENGINE, engine);
  if (!knobs.empty()) config.set(CUDNN_ATTR_ENGINECFG_KNOB_CHOICES, knobs);
  config.finalize("cuDNN engine configuration");
  return read(std::move(config));
}

ExecutionPlan Graph::finalize(Configuration configuration) const {
  Descriptor plan(CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR);
  plan.set(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, configuration.descriptor);
  if (target_.handle()) plan.set(CUDNN_ATTR_EXECUTION_PLAN_HANDLE, target_.handle());
  target_.set_chip(plan, CUDNN_ATTR_EXECUTION_PLAN_DEVICEPROP);
  plan.finalize("cuDNN execution plan");
  const auto workspace = plan.get<int64_t>(CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE);
  return {std::move(configuration), std::move(plan), static_cast<size_t>(workspace)};
}

}  // namespace melgrad::kernel::cudnn
