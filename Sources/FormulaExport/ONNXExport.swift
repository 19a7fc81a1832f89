import MetaLearnersCore

/// Formulas as one graph of ONNX, in double precision throughout.
///
/// Every column is an input of its own of shape (rows, 1): a number in double precision with NaN where it is missing, a
/// category as text or as the code of its level. Every formula is an output of its name, with `_` behind it where a column
/// has that, of shape (rows, 1).
public struct ONNXExport: Sendable {
    /// How categories enter the graph.
    public enum Categories: String, Sendable, CaseIterable {
        /// As texts; one that is no level, such as the empty one, is missing.
        case strings
        /// As 64-bit integers, the codes of levels; negative ones are missing.
        case codes
    }

    /// The version of the operators of `ai.onnx`.
    public static let opset = 18
    /// The version of the operators of `ai.onnx.ml`: the first that has trees in double precision.
    public static let traditionalOpset = 5
    /// The version of the file format.
    public static let irVersion = 10

    /// The file.
    public let bytes: [UInt8]

    /// Writes the formulas of a document.
    ///
    /// - Parameters:
    ///   - document: the formulas with the columns that they read.
    ///   - categories: how categories enter the graph.
    /// - Throws: `unsupported` for no column, for columns without a name, NUL in a name or level, and more than 2 GiB.
    /// - Complexity: O(size of the formulas).
    public init(_ document: FormulaDocument, categories: Categories = .strings) throws(MetaLearnersError) {
        let inputs = ExportInputs(document)
        try inputs.requireNoNUL(for: "ONNX")
        guard let first = inputs.inputs.first else {
            throw MetaLearnersError(
                .unsupported, at: "onnx", "a model without columns has no rows to predict")
        }
        guard inputs.inputs.allSatisfy({ !$0.name.isEmpty }) else {
            throw MetaLearnersError(.unsupported, at: "onnx", "there is a column without a name")
        }
        var graph = ONNXGraph()
        for input in inputs.inputs {
            let levels = input.levels.map { SpecValue.array($0.map(SpecValue.string)).json() }
            graph.input(
                input.name, input.levels == nil ? .double : categories == .strings ? .text : .int64,
                levels.map { "levels: " + $0 } ?? "")
        }
        let names = inputs.outputNames(document.names)
        graph.reserve(names)
        var writer = ONNXWriter(graph, document.graph, inputs, categories, rows: first.name)
        for (value, name) in zip(try writer.outputs(), names) { writer.graph.output(value, as: name) }
        bytes = try writer.graph.model(
            "Formulas of a model of conditional average treatment effects.",
            [
                ("columns", SpecValue.array(inputs.inputs.map { .string($0.name) }).json()),
                ("outputs", SpecValue.array(names.map(SpecValue.string)).json()),
                ("unseen_levels", inputs.refusesUnseen ? "error" : "missing"),
            ])
    }
}
