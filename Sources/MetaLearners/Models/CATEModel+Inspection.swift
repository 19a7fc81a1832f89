import MetaLearnersCore

extension CATEModel {
    /// The models within, by role: those of nuisances, then those of effects.
    ///
    /// - Complexity: that of writing them, since it counts their bytes.
    public var parts: (nuisances: [ModelPart], effects: [ModelPart]) {
        let ofEffects = Set(spec.metaLearner.nuisanceRoles(armCount: armLabels.count))
        return (
            nuisanceModels.map {
                ModelPart(
                    $0, name: $0.role.name(armLabels), servesEffects: ofEffects.contains($0.role))
            },
            predictor.parts(armLabels)
        )
    }

    /// The sections of the model's file with their sizes in bytes, in their order.
    public var sections: [(name: String, bytes: Int)] {
        archive.sections.map { ($0.name, $0.bytes.count) }
    }

    /// What is in the model: its summary, what it serves, the models within and their sizes.
    public var inspection: SpecValue {
        var object = manifest
        let spec = object["spec"]
        object["spec"] = nil
        object["kind"] = .string(type(of: predictor).tag)
        var outputs: [PredictionRequest.Output] = [.effects]
        if fitted.hasArmMeans(armCount: armLabels.count) { outputs.append(.armMeans) }
        if overlap.isKnown || nuisanceModels.contains(where: \.role.isPropensity) {
            outputs.append(.propensities)
        }
        if intervals != nil { outputs.append(.intervals) }
        if fitted.foldCount(armCount: armLabels.count) > 1 { outputs.append(.stability) }
        object["outputs"] = .array(outputs.map { .string($0.rawValue) })
        object["intervals"] = intervals.map { .string($0.method.rawValue) } ?? .null
        if let training {
            object["training"] = [
                "rows": .integer(training.outcome.count), "folds": .integer(training.folds.count),
                "repeats": .integer(training.repeats.count), "weights": .boolean(training.weights != nil),
                "clusters": .integer(Set(training.clusters ?? []).count),
                "fingerprint": .string(String(training.fingerprint, radix: 16)),
            ]
        } else {
            object["training"] = .null
        }
        let parts = parts
        object["nuisance_models"] = .array(parts.nuisances.map(\.specValue))
        object["effect_models"] = .array(parts.effects.map(\.specValue))
        let archive = archive
        object["file"] = [
            "format": .integer(Int(ModelArchive.formatVersion)), "bytes": .integer(archive.encoded().count),
            "sections": .array(
                archive.sections.map {
                    ["name": .string($0.name), "bytes": .integer($0.bytes.count)]
                }),
        ]
        object["spec"] = spec
        return .object(object)
    }
}
