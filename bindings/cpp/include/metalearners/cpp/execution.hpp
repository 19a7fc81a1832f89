/*
 * What the library knows, and how work is run. Part of metalearners.hpp.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef METALEARNERS_CPP_EXECUTION_HPP
#define METALEARNERS_CPP_EXECUTION_HPP

#include "error.hpp"
#include <metalearners/analysis.h>
#include <metalearners/execution.h>
#include <metalearners/registry.h>

#include <cstdint>
#include <exception>
#include <functional>

namespace metalearners {

// ---------------------------------------------------------------------------------- What the library knows

/** The version of the library, such as "0.9.0". */
inline std::string version() { return mtlr_version(); }

/** A spec with every default, checked, as JSON. */
inline std::string resolve_spec(const std::string &spec) { return detail::text(mtlr_spec_resolve, spec.c_str()); }

/** The base learners that are built in, as JSON. */
inline std::string backends() { return detail::text(mtlr_backends); }

/** The analyses with their options, as JSON. */
inline std::string analyses() { return detail::text(mtlr_analyses); }

/** Base learners by name: those built in, and those of plug-ins. */
class Registry {
public:
    Registry() : handle_(detail::make<mtlr_registry>(mtlr_registry_free, mtlr_registry_create)) {}

    /** Adds the base learner of a shared library, which runs with all rights of the process. */
    void load_plugin(const std::string &path) { detail::call(mtlr_registry_load_plugin, handle_.get(), path.c_str()); }
    /** Adds a base learner that the program implements: metalearners_plugin.h. `table` must outlive the registry and its models. */
    void add(const mtlr_plugin_vtable *table) { detail::call(mtlr_registry_add_callbacks, handle_.get(), table); }
    /** The base learners with their parameters, as JSON. */
    std::string backends() const { return detail::text(mtlr_registry_backends, static_cast<const mtlr_registry *>(get())); }
    std::string resolve_spec(const std::string &spec) const {
        return detail::text(mtlr_registry_resolve_spec, static_cast<const mtlr_registry *>(get()), spec.c_str());
    }
    mtlr_registry *get() const noexcept { return handle_.get(); }

private:
    std::shared_ptr<mtlr_registry> handle_;
};

// ------------------------------------------------------------------------------------------------- Running

/** Lets one thread stop the work of another. */
class CancelToken {
public:
    CancelToken() : handle_(detail::make<mtlr_cancel_token>(mtlr_cancel_token_free, mtlr_cancel_token_create)) {}
    void cancel() const noexcept { mtlr_cancel_token_cancel(handle_.get()); }
    bool is_cancelled() const noexcept { return mtlr_cancel_token_is_cancelled(handle_.get()) != 0; }
    const mtlr_cancel_token *get() const noexcept { return handle_.get(); }

private:
    std::shared_ptr<mtlr_cancel_token> handle_;
};

/** How work is run; nothing here changes its result. */
struct Execution {
    /** Threads at most; 0 for as many as there are processors. */
    int threads = 0;
    /** Bytes that a fit may take beside the data; 0 for no limit. */
    std::int64_t memory_limit = 0;
    /** Told stage, done and total; false cancels. Without `poll` it may be called on another thread, one call at a time. */
    std::function<bool(std::string_view, std::int64_t, std::int64_t)> progress = nullptr;
    /** Asked on the calling thread twenty times a second whether to go on. */
    std::function<bool()> poll = nullptr;
    std::optional<CancelToken> token = std::nullopt;
    std::optional<Registry> registry = std::nullopt;
    /** Joins the processes that hold parts of the rows (`Dataset::part`, `Model::fit`); it must outlive the calls. Null for none. */
    const mtlr_collective *collective = nullptr;
};

namespace detail {

/** One call that may take long: the structure of C, and the exception that a callback has thrown. */
class Running {
public:
    explicit Running(const Execution &asked) : asked_(asked) {
        execution_.threads = asked.threads;
        execution_.memory_limit = asked.memory_limit;
        execution_.payload = this;
        if (asked.progress) execution_.progress = &Running::told;
        if (asked.poll) execution_.poll = &Running::polled;
        if (asked.token) execution_.cancel_token = asked.token->get();
        if (asked.registry) execution_.registry = asked.registry->get();
        execution_.collective = asked.collective;
    }
    Running(const Running &) = delete;
    Running &operator=(const Running &) = delete;

    template <class Function, class... Arguments>
    void operator()(Function function, Arguments... arguments) {
        mtlr_error *error = nullptr;
        const mtlr_status status = function(arguments..., static_cast<const mtlr_execution *>(&execution_), &error);
        if (status == MTLR_OK) return;
        if (thrown_) {
            mtlr_error_free(error);
            std::rethrow_exception(thrown_);
        }
        raise(status, error);
    }
    /** Throws what a callback threw although the call went on to its end; objects that it made have an owner by then. */
    void finish() const {
        if (thrown_) std::rethrow_exception(thrown_);
    }

    template <class T, class Function, class... Arguments>
    std::shared_ptr<T> make(void (*release)(T *), Function function, Arguments... arguments) {
        T *made = nullptr;
        (*this)(function, &made, arguments...);
        std::shared_ptr<T> owner(made, release);
        // What was finished although a callback threw, such as an analysis that gives what it has.
        finish();
        return owner;
    }

private:
    static std::int32_t told(void *payload, const char *stage, std::int64_t done, std::int64_t total) {
        Running &self = *static_cast<Running *>(payload);
        try {
            return self.asked_.progress(stage, done, total) ? 1 : 0;
        } catch (...) {
            self.thrown_ = std::current_exception();
            return 0;
        }
    }
    static std::int32_t polled(void *payload) {
        Running &self = *static_cast<Running *>(payload);
        try {
            return self.asked_.poll() ? 0 : 1;
        } catch (...) {
            self.thrown_ = std::current_exception();
            return 1;
        }
    }

    const Execution &asked_;
    mtlr_execution execution_ = MTLR_EXECUTION_INIT;
    std::exception_ptr thrown_;
};

}  // namespace detail

}  // namespace metalearners

#endif  // METALEARNERS_CPP_EXECUTION_HPP
