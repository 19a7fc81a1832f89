import CausalAnalysis
import Reporting
import MetaLearners
import MetaLearnersCore

/// What `metalearners inspect` prints for people.
struct InspectionReport {
    let model: CATEModel

    private var inspection: SpecObject { model.inspection.objectValue ?? SpecObject() }

    /// The report.
    var text: String {
        let inspection = inspection
        return [
            facts(inspection), arms, columns, models, file(inspection), warnings,
            "Spec\n" + Self.indented(SpecLines.text(inspection["spec"] ?? .null)),
        ].filter { !$0.isEmpty }.joined(separator: "\n")
    }

    private func facts(_ inspection: SpecObject) -> String {
        let spec = model.spec
        var facts = TextTable([("", .left), ("", .left)])
        func list(_ key: String) -> String {
            (inspection[key]?.arrayValue ?? []).compactMap(\.stringValue).joined(separator: ", ")
        }
        facts.append(["Learner", spec.learner.rawValue])
        var outcome = "\(spec.data.outcome ?? "(unnamed)"), \(model.outcomeKind.name)"
        let labels = list("outcome_labels")
        if !labels.isEmpty { outcome += " (\(labels))" }
        facts.append(["Outcome", outcome])
        facts.append(["Treatment", spec.data.treatment ?? "(unnamed)"])
        facts.append(["Predicts", list("outputs")])
        if let method = model.intervalMethod {
            facts.append([
                "Intervals",
                "\(method.rawValue), level \(NumberText.shortest(spec.intervals.level))",
            ])
        }
        if let training = model.training {
            var rows =
                "\(NumberText.grouped(training.outcome.count)) rows, \(NumberText.counted(training.folds.count, "fold"))"
            if training.repeats.count > 1 { rows += " × \(training.repeats.count) repeats" }
            if let clusters = training.clusters {
                rows += ", \(NumberText.counted(Set(clusters).count, "cluster"))"
            }
            if training.weights != nil { rows += ", weighted" }
            facts.append(["Training", rows])
            facts.append(["Fingerprint", String(training.fingerprint, radix: 16)])
        } else {
            facts.append(["Training", "\(NumberText.grouped(model.trainingRowCount)) rows, not kept"])
        }
        facts.append(["Written by", "metalearners \(inspection["library_version"]?.stringValue ?? "")"])
        return String(facts.text().drop { $0.isNewline })
    }

    private var arms: String { ArmsText.text(model) }

    private var columns: String {
        var table = TextTable([("name", .left), ("kind", .left), ("levels", .left)])
        for field in model.schema.fields {
            switch field.kind {
            case .numeric: table.append([field.name, "numeric"])
            case .categorical(let levels):
                let shown = levels.prefix(6).joined(separator: ", ")
                let rest = levels.count > 6 ? ", … (\(NumberText.grouped(levels.count)))" : ""
                table.append([field.name, "categorical", shown + rest])
            }
        }
        return model.schema.fields.isEmpty ? "Covariates\n  none\n" : "Covariates\n" + table.text(indent: 2)
    }

    private var models: String {
        var table = TextTable([
            ("role", .left), ("backend", .left), ("fold models", .right), ("full model", .left),
            ("stages", .right), ("bytes", .right), ("serves", .left),
        ])
        let parts = model.parts
        for part in parts.nuisances + parts.effects {
            table.append([
                part.name, part.backend, NumberText.grouped(part.foldModels),
                part.hasFullModel ? "yes" : "no", part.stages.map { NumberText.grouped($0) } ?? "",
                NumberText.grouped(part.bytes), part.purpose,
            ])
        }
        let stacks = (parts.nuisances + parts.effects).compactMap(Self.stack)
        let drawn = (parts.nuisances + parts.effects).flatMap(Self.drawnTrees)
        return "Models\n" + table.text(indent: 2)
            + (stacks.isEmpty ? "" : "\nStacks (weights of members, means over models)\n" + stacks.joined())
            + (drawn.isEmpty
                ? ""
                : "\nDrawn trees (those that split, of all sweeps kept, means over models)\n" + drawn.joined())
    }

    /// How many trees the models of a role, or those among the members of its stacks, are the mean of; empty where none were drawn.
    private static func drawnTrees(_ part: ModelPart) -> [String] {
        func line(_ name: String, _ models: [SpecObject]) -> String? {
            let counts = models.compactMap { $0["drawn_trees"]?.integerValue }
            guard !counts.isEmpty else { return nil }
            let mean = Double(counts.reduce(0, +)) / Double(counts.count)
            return "  \(name): \(NumberText.grouped(Int(mean.rounded())))\n"
        }
        let names = part.summaries.first?["members"]?.arrayValue?.compactMap(\.stringValue) ?? []
        let ofMembers = part.summaries.map { $0["models"]?.arrayValue ?? [] }
        return [line(part.name, part.summaries)].compactMap(\.self)
            + names.indices.compactMap { member in
                line(
                    "\(part.name), \(names[member])",
                    ofMembers.compactMap { member < $0.count ? $0[member].objectValue : nil })
            }
    }

    /// The members of a role's stacks and how much they count; nil where its models are none.
    private static func stack(_ part: ModelPart) -> String? {
        guard let members = part.summaries.first?["members"]?.arrayValue?.compactMap(\.stringValue) else {
            return nil
        }
        let weights = part.summaries.flatMap { summary in
            (summary["functions"]?.arrayValue ?? []).compactMap {
                $0.objectValue?["weights"]?.arrayValue?.compactMap(\.doubleValue)
            }
        }.filter { $0.count == members.count }
        guard !weights.isEmpty else { return nil }
        let means = members.indices.map { member in
            weights.reduce(0.0) { $0 + $1[member] } / Double(weights.count)
        }
        let alone = weights.count { $0.first == 1 && $0.dropFirst().allSatisfy { $0 == 0 } }
        return "  \(part.name): "
            + zip(members, means).map { "\($0) \(NumberText.fixed($1, decimals: 2))" }.joined(
                separator: ", ")
            + (alone > 0 ? "; the first alone in \(alone) of \(weights.count)" : "") + "\n"
    }

    private func file(_ inspection: SpecObject) -> String {
        var table = TextTable([("section", .left), ("bytes", .right)])
        let file = inspection["file"]?.objectValue ?? SpecObject()
        let sections = file["sections"]?.arrayValue ?? []
        let total = file["bytes"]?.integerValue ?? 0
        var rest = total
        for section in sections.compactMap(\.objectValue) {
            let bytes = section["bytes"]?.integerValue ?? 0
            rest -= bytes
            table.append([section["name"]?.stringValue ?? "", NumberText.grouped(bytes)])
        }
        table.append(["(manifest)", NumberText.grouped(rest)])
        table.append(["(file)", NumberText.grouped(total)])
        return "File, format \(file["format"]?.integerValue ?? 0)\n" + table.text(indent: 2)
    }

    private var warnings: String {
        guard !model.warnings.isEmpty else { return "" }
        return "Warnings\n" + model.warnings.map { "  " + $0 + "\n" }.joined()
    }

    private static func indented(_ text: String) -> String {
        text.split(separator: "\n").map { "  " + $0 + "\n" }.joined()
    }
}
