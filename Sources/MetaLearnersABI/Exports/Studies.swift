import CMetaLearners
import CausalAnalysis
import MetaLearners
import MetaLearnersCore
import MetaLearnersKit
import Reporting

@c @implementation
public func mtlr_study_create(
    _ out: UnsafeMutablePointer<OpaquePointer?>?, _ model: OpaquePointer?, _ dataset: OpaquePointer?,
    _ estimates: UnsafePointer<mtlr_estimates>?, _ execution: UnsafePointer<mtlr_execution>?,
    _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> mtlr_status {
    Boundary.make(out, execution, error) { options throws(MetaLearnersError) in
        let model = try Handle.required(ModelObject.self, model, "model").model
        let rows =
            dataset == nil ? nil : try Handle.required(DatasetObject.self, dataset, "dataset").dataset
        let given = try EstimatesView.read(
            estimates, rows: rows?.rowCount ?? model.training?.outcome.count ?? 0)
        let study = try CausalStudy(
            model, on: rows, ofClass: given.outcomeClass, options)
        return StudyObject(try study.replacing(given.columns))
    }
}

@c @implementation
public func mtlr_study_create_from_dataset(
    _ out: UnsafeMutablePointer<OpaquePointer?>?, _ dataset: OpaquePointer?, _ spec: UnsafePointer<CChar>?,
    _ estimates: UnsafePointer<mtlr_estimates>?, _ execution: UnsafePointer<mtlr_execution>?,
    _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> mtlr_status {
    Boundary.make(out, execution, error) { options throws(MetaLearnersError) in
        let dataset = try Handle.required(DatasetObject.self, dataset, "dataset")
        let fitter = try MetaLearnerFitter(
            SpecText.read(spec, matching: dataset.spec), registry: ExecutionView.registry(execution))
        let given = try EstimatesView.read(estimates, rows: dataset.dataset.rowCount)
        return StudyObject(
            try CausalStudy(
                fitter, on: dataset.dataset, for: .scores, given: given.columns,
                ofClass: given.outcomeClass, options))
    }
}

@c @implementation
public func mtlr_study_rows(_ study: OpaquePointer?) -> Int64 {
    Int64(Handle.object(StudyObject.self, study)?.study.rowCount ?? 0)
}

@c @implementation
public func mtlr_study_column_names(
    _ json: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?, _ study: OpaquePointer?,
    _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> mtlr_status {
    Boundary.text(json, error) { () throws(MetaLearnersError) in
        SpecText.list(try Handle.required(StudyObject.self, study, "study").study.columnNames)
    }
}

@c @implementation
public func mtlr_study_warnings(
    _ json: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?, _ study: OpaquePointer?,
    _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> mtlr_status {
    Boundary.text(json, error) { () throws(MetaLearnersError) in
        SpecText.list(try Handle.required(StudyObject.self, study, "study").study.warnings)
    }
}

@c @implementation
public func mtlr_study_column(
    _ values: UnsafeMutablePointer<Double>?, _ length: Int64, _ study: OpaquePointer?,
    _ name: UnsafePointer<CChar>?, _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> mtlr_status {
    Boundary.run(error) { () throws(MetaLearnersError) in
        let study = try Handle.required(StudyObject.self, study, "study").study
        let target = try NumbersTarget(
            values, length, rows: study.rowCount, columns: 1, .standard, "values")
        try target.store([study.column(named: CText.read(name, "name"))])
    }
}

@c @implementation
public func mtlr_study_free(_ study: OpaquePointer?) { Handle.free(StudyObject.self, study) }

@c @implementation
public func mtlr_study_report(
    _ html: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?, _ study: OpaquePointer?,
    _ request: UnsafePointer<CChar>?, _ execution: UnsafePointer<mtlr_execution>?,
    _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> mtlr_status {
    Boundary.text(html, execution, error, argument: "html") { options throws(MetaLearnersError) in
        let study = try Handle.required(StudyObject.self, study, "study").study
        let analyses = try AnalysisRequest.list(request, for: study)
        return StudyReport(study, analyses, options).html()
    }
}

// MARK: Analyses

@c @implementation
public func mtlr_analyses(
    _ json: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?,
    _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> mtlr_status {
    Boundary.text(json, error) { () throws(MetaLearnersError) in AnalysisRegistry.default.specValue.json() }
}

@c @implementation
public func mtlr_analysis_run(
    _ out: UnsafeMutablePointer<OpaquePointer?>?, _ study: OpaquePointer?, _ request: UnsafePointer<CChar>?,
    _ execution: UnsafePointer<mtlr_execution>?, _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> mtlr_status {
    Boundary.make(out, execution, error) { options throws(MetaLearnersError) in
        let study = try Handle.required(StudyObject.self, study, "study").study
        let analysis = try AnalysisRequest.one(request)
        return try AnalysisObject(analysis.run(study, options))
    }
}

@c @implementation
public func mtlr_analysis_json(_ analysis: OpaquePointer?) -> UnsafePointer<CChar>? {
    Handle.object(AnalysisObject.self, analysis)?.json.pointer
}

@c @implementation
public func mtlr_analysis_column_count(_ analysis: OpaquePointer?) -> Int64 {
    Int64(Handle.object(AnalysisObject.self, analysis)?.columns.count ?? 0)
}

@c @implementation
public func mtlr_analysis_column_name(_ analysis: OpaquePointer?, _ index: Int64) -> UnsafePointer<CChar>? {
    Handle.object(AnalysisObject.self, analysis)?.columnNames.pointer(at: index)
}

@c @implementation
public func mtlr_analysis_column(
    _ values: UnsafeMutablePointer<Double>?, _ length: Int64, _ analysis: OpaquePointer?, _ index: Int64,
    _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> mtlr_status {
    Boundary.run(error) { () throws(MetaLearnersError) in
        let columns = try Handle.required(AnalysisObject.self, analysis, "analysis").columns
        guard index >= 0, index < Int64(columns.count) else {
            throw MetaLearnersError(
                .invalidArgument, at: "index", "is \(index), and the answer has \(columns.count) columns",
                remedy: "ask mtlr_analysis_column_count()")
        }
        let column = columns[Int(index)].values
        let target = try NumbersTarget(values, length, rows: column.count, columns: 1, .standard, "values")
        try target.store([column])
    }
}

@c @implementation
public func mtlr_analysis_free(_ analysis: OpaquePointer?) { Handle.free(AnalysisObject.self, analysis) }

/// What callers write to ask for analyses.
private enum AnalysisRequest {
    /// The analysis that a JSON text asks for.
    static func one(_ text: UnsafePointer<CChar>?) throws(MetaLearnersError) -> any Analysis {
        let text = try CText.read(text, "request")
        return try AnalysisRegistry.default.analysis(
            SpecValue(json: text.utf8, source: "request"), at: .named("request"))
    }

    /// The analyses that a JSON list asks for; for NULL every one that a report has and the study has what it needs for.
    static func list(_ text: UnsafePointer<CChar>?, for study: CausalStudy) throws(MetaLearnersError)
        -> [any Analysis]
    {
        guard let text else { return StudyReport.analyses(for: study) }
        let value = try SpecValue(json: CText.read(text, "request").utf8, source: "request")
        guard let requests = value.arrayValue else {
            throw SpecPath.named("request").error("must be a list of analyses, not \(value.kindName)")
        }
        var analyses: [any Analysis] = []
        for (index, request) in requests.enumerated() {
            analyses.append(
                try AnalysisRegistry.default.analysis(request, at: .named("request[\(index)]")))
        }
        return analyses
    }
}
