import FormulaExport
import MetaLearnersCore

extension CATEModel {
    /// The model in another language: ONNX, C, SQL, or its formulas as JSON. What it gives is what `predict` gives of new rows.
    ///
    ///     try AtomicFile.write(model.exported(ExportSpec(.c)), to: "effects.c")
    ///
    /// - Throws: `unsupported`, naming the part, where a model within has no formula (plug-ins), for intervals of either kind and stability,
    ///   which have none, and for what the language cannot have; what `predict` throws of arms and scales.
    /// - Complexity: O(size of the model).
    public func exported(_ spec: ExportSpec) throws(MetaLearnersError) -> [UInt8] {
        try spec.check(at: .root)
        let document = try formulaDocument(spec)
        switch spec.format {
        case .onnx: return try ONNXExport(document, categories: spec.categories).bytes
        case .c: return Array(try CSourceExport(document, name: spec.name).text.utf8)
        case .sql: return Array(try SQLExport(document, dialect: spec.dialect, table: spec.table).text.utf8)
        case .json: return Array((document.specValue.json(indented: true) + "\n").utf8)
        }
    }

    /// The formulas of everything that a spec asks for, which share what they have in common.
    public func formulaDocument(_ spec: ExportSpec) throws(MetaLearnersError) -> FormulaDocument {
        var formulas: [Formula] = []
        var names: [String] = []
        if spec.what.count > 1, !spec.what.contains(.effects), spec.baseline != nil || spec.scale != nil {
            throw MetaLearnersError(
                .invalidArgument, at: spec.baseline != nil ? "baseline" : "scale",
                "only effects compare arms, and they are not among what is asked for", remedy: "leave it out")
        }
        for output in spec.what {
            // Only effects compare arms.
            let compares = output == .effects || spec.what.count == 1
            let request = PredictionRequest(
                output, arm: spec.arm, baseline: compares ? spec.baseline : nil,
                scale: compares ? spec.scale : nil)
            formulas += try self.formulas(request)
            names += try columnNames(request)
        }
        return try FormulaDocument(
            schema: schema, names: names, graph: FormulaGraph(formulas),
            missingValues: self.spec.data.missingValues)
    }
}
