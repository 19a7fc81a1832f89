import MetaLearnersCore

/// What a model file says of itself in JSON: for people and programs that do not read the rest.
struct ModelManifest {
    let spec: MetaLearnerSpec
    let completeSpec: SpecValue
    let armLabels: [String]
    let armCounts: [Int]
    let armShares: [Double]
    let outcomeKind: Outcome.Kind
    let overlap: OverlapReport
    let warnings: [String]

    /// Reads the manifest of a file.
    ///
    /// - Throws: `corruptModel` where something is missing or makes no sense.
    init(_ object: SpecObject) throws(MetaLearnersError) {
        guard let given = object["spec"], let arms = object["arms"]?.arrayValue, arms.count >= 2 else {
            throw BinaryReader.corrupt("its manifest lacks the spec or the arms")
        }
        var complete = given.objectValue ?? SpecObject()
        complete["plugins"] = .array([])
        completeSpec = .object(complete)
        do throws(MetaLearnersError) {
            var spec = try MetaLearnerSpec(given)
            // A file must not choose what code is loaded into this program.
            spec.plugins = []
            self.spec = spec
        } catch {
            throw BinaryReader.corrupt("its spec cannot be used (\(error))")
        }
        var labels: [String] = []
        var counts: [Int] = []
        var shares: [Double] = []
        for arm in arms {
            guard let label = arm.objectValue?["label"]?.stringValue,
                let rows = arm.objectValue?["rows"]?.integerValue, rows > 0, rows <= Int(Int32.max),
                let share = arm.objectValue?["share"]?.doubleValue
            else {
                throw BinaryReader.corrupt("an arm in its manifest makes no sense")
            }
            labels.append(label)
            counts.append(rows)
            shares.append(share)
        }
        armLabels = labels
        armCounts = counts
        armShares = shares
        switch object["outcome_type"]?.stringValue {
        case "continuous": outcomeKind = .continuous
        case "count": outcomeKind = .count
        case "binary":
            outcomeKind = .binary(
                labels: object["outcome_labels"]?.arrayValue?.compactMap(\.stringValue) ?? [])
        case "classes":
            let labels = object["outcome_labels"]?.arrayValue?.compactMap(\.stringValue) ?? []
            guard labels.count >= 2, labels.count <= 1_000 else {
                throw BinaryReader.corrupt("its manifest lacks the classes of the outcome")
            }
            outcomeKind = .classes(labels: labels)
        default: throw BinaryReader.corrupt("its manifest lacks the type of the outcome")
        }
        guard let report = object["overlap"]?.objectValue.flatMap(OverlapReport.init) else {
            throw BinaryReader.corrupt("its manifest lacks the overlap")
        }
        overlap = report
        warnings = object["warnings"]?.arrayValue?.compactMap(\.stringValue) ?? []
    }
}

extension CATEModel {
    /// What the model file says of itself.
    var manifest: SpecObject {
        var object = SpecObject([
            ("format", "metalearners model"), ("library_version", .string(Version.current)),
            ("learner", .string(spec.learner.rawValue)),
            ("rows", .integer(trainingRowCount)),
        ])
        object["arms"] = .array(
            armLabels.indices.map {
                [
                    "label": .string(armLabels[$0]), "rows": .integer(armCounts[$0]),
                    "share": .number(armShares[$0]),
                ]
            })
        object["outcome_type"] = .string(outcomeKind.name)
        switch outcomeKind {
        case .continuous, .count: break
        case .binary(let labels), .classes(let labels):
            object["outcome_labels"] = .array(labels.map { .string($0) })
        }
        object["covariates"] = .array(
            schema.fields.map { field in
                var entry = SpecObject([("name", .string(field.name))])
                if case .categorical(let levels) = field.kind {
                    entry["kind"] = "categorical"
                    entry["levels"] = .integer(levels.count)
                } else {
                    entry["kind"] = "numeric"
                }
                return .object(entry)
            })
        object["overlap"] = overlap.specValue
        if let calibration { object["calibration"] = calibration.report.specValue }
        object["warnings"] = .array(warnings.map { .string($0) })
        object["ensemble"] = predictor.details(armLabels)
        object["spec"] = completeSpec
        return object
    }
}

extension OverlapReport {
    /// Reads what `specValue` wrote; nil where it makes no sense.
    init?(_ object: SpecObject) {
        guard let policy = object["policy"]?.stringValue.flatMap(OverlapSpec.Policy.init),
            let bounds = object["bounds"]?.arrayValue?.compactMap(\.doubleValue), bounds.count == 2,
            let touched = object["touched"]?.integerValue, case .boolean(let isKnown)? = object["known"],
            let entries = object["arms"]?.arrayValue
        else { return nil }
        var arms: [Arm] = []
        for entry in entries.compactMap(\.objectValue) {
            guard let label = entry["arm"]?.stringValue, let low = entry["min"]?.doubleValue,
                let high = entry["max"]?.doubleValue, low <= high, let below = entry["below"]?.integerValue,
                let above = entry["above"]?.integerValue
            else { return nil }
            arms.append(Arm(label: label, range: low...high, below: below, above: above))
        }
        self.init(policy: policy, bounds: bounds, arms: arms, touched: touched, isKnown: isKnown)
    }
}
