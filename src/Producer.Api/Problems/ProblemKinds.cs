namespace Orders.Producer.Api.Problems;

/// <summary>Every refusal that the API knows. docs and clients rely on this list; add to it, never change it.</summary>
internal static class ProblemKinds
{
    public static readonly ProblemKind BadRequest = new(
        400,
        "bad-request",
        "The request is not valid HTTP or misses a part."
    );
    public static readonly ProblemKind MalformedBody = new(
        400,
        "malformed-body",
        "The body does not have the documented shape."
    );
    public static readonly ProblemKind InvalidParameter = new(
        400,
        "invalid-parameter",
        "A query parameter is not valid."
    );
    public static readonly ProblemKind InvalidIdempotencyKey = new(
        400,
        "invalid-idempotency-key",
        "The Idempotency-Key header is not valid."
    );
    public static readonly ProblemKind Unauthorized = new(401, "unauthorized", "A valid API key is required.");
    public static readonly ProblemKind MissingScope = new(
        403,
        "missing-scope",
        "The API key does not have the scope for this."
    );
    public static readonly ProblemKind NotFound = new(404, "not-found", "There is nothing at this address.");
    public static readonly ProblemKind OrderNotFound = new(404, "order-not-found", "There is no such order.");
    public static readonly ProblemKind InvoiceNotReady = new(
        404,
        "invoice-not-ready",
        "The order has no invoice document yet."
    );
    public static readonly ProblemKind CreditNoteNotReady = new(
        404,
        "credit-note-not-ready",
        "The order has no credit note yet."
    );
    public static readonly ProblemKind WebhookNotFound = new(404, "webhook-not-found", "There is no such web hook.");
    public static readonly ProblemKind MethodNotAllowed = new(
        405,
        "method-not-allowed",
        "This address does not take this method."
    );
    public static readonly ProblemKind TooSlow = new(408, "request-timeout", "The request did not arrive in time.");
    public static readonly ProblemKind KeyInFlight = new(
        409,
        "key-in-flight",
        "A request with the same Idempotency-Key is still being worked on."
    );
    public static readonly ProblemKind OrderNotCancellable = new(
        409,
        "order-not-cancellable",
        "The order cannot be cancelled any more."
    );
    public static readonly ProblemKind WebhookExists = new(
        409,
        "webhook-exists",
        "A web hook with this address is registered."
    );
    public static readonly ProblemKind TooManyWebhooks = new(
        409,
        "too-many-webhooks",
        "The client has as many web hooks as it may have."
    );
    public static readonly ProblemKind DocumentErased = new(
        410,
        "document-erased",
        "The document was erased with the customer's data."
    );
    public static readonly ProblemKind BodyTooLarge = new(413, "body-too-large", "The body is too large.");
    public static readonly ProblemKind UnsupportedMediaType = new(
        415,
        "unsupported-media-type",
        "The body must be plain application/json."
    );
    public static readonly ProblemKind InvalidOrder = new(
        422,
        "invalid-order",
        "The order is well formed but cannot be accepted."
    );
    public static readonly ProblemKind InvalidWebhook = new(
        422,
        "invalid-webhook",
        "The web hook is well formed but cannot be registered."
    );
    public static readonly ProblemKind KeyReused = new(
        422,
        "idempotency-key-reused",
        "The Idempotency-Key was used before with another body."
    );
    public static readonly ProblemKind TooManyRequests = new(
        429,
        "too-many-requests",
        "The client sends more than its rate allows."
    );
    public static readonly ProblemKind TooMuchAtOnce = new(
        429,
        "too-much-at-once",
        "The client has more open at once than it may."
    );
    public static readonly ProblemKind InternalError = new(500, "internal-error", "Something went wrong on our side.");
    public static readonly ProblemKind Unavailable = new(503, "unavailable", "The service cannot do this now.");
    public static readonly ProblemKind OutboxFull = new(
        503,
        "outbox-full",
        "Too many orders are waiting for the broker."
    );
    public static readonly ProblemKind TooManyWatchers = new(
        503,
        "too-many-watchers",
        "Too many orders are being watched."
    );

    /// <summary>The kind for a bare status that the framework set, such as 404 for an unknown address.</summary>
    public static ProblemKind OfStatus(int status) =>
        status switch
        {
            400 => BadRequest,
            401 => Unauthorized,
            403 => MissingScope,
            404 => NotFound,
            405 => MethodNotAllowed,
            408 => TooSlow,
            413 => BodyTooLarge,
            415 => UnsupportedMediaType,
            429 => TooManyRequests,
            503 => Unavailable,
            < 500 => new ProblemKind(status, "bad-request", BadRequest.Title),
            _ => InternalError,
        };
}
