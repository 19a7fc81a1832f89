import MetaLearnersCore

extension MetaLearnerSpec {
    /// Checks that a spec of `auto`, which brings base learners of its own, asks for no others: they would not be used.
    /// The propensity's calibration it may choose.
    ///
    /// - Parameter complete: the spec with every default of its base learners.
    /// - Throws: `invalidSpec`, naming the model.
    static func requireOwnModels(of complete: MetaLearnerSpec, _ registry: EstimatorRegistry)
        throws(MetaLearnersError)
    {
        var models = complete.models
        models.propensity.calibration = .none
        for (standard, place) in ModelsSpec().everyModel {
            var standard = standard
            standard.choice = try registry.makeEstimator(standard.choice, at: place).completeChoice
            guard let given = models.everyModel.first(where: { $0.place == place }), given.model != standard
            else { continue }
            throw place.error(
                "is given, and the learner auto brings models of its own",
                remedy: "leave it out, or name a learner that uses it, such as learner: dr")
        }
        if let arm = models.arms.first {
            throw SpecPath.root.appending("models").appending("arms").appending(arm.label).error(
                "is given, and the learner auto brings models of its own",
                remedy: "leave it out, or name a learner that uses it, such as learner: dr")
        }
    }

    /// What is left of the section `models` for `auto`: the propensity's calibration; nil where there is none.
    var ownModels: SpecValue? {
        models.propensity.calibration == .none
            ? nil : ["propensity": ["calibration": .string(models.propensity.calibration.rawValue)]]
    }
}

extension BaseEstimator {
    /// The backend with every parameter.
    var completeChoice: EstimatorChoice {
        EstimatorChoice(backend.name, spec.specValue.objectValue ?? SpecObject())
    }
}
