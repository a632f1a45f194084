namespace Orders.Producer.Api.Auth;

/// <summary>Too many keys that nobody has used before wait for the database: this one is not asked for.</summary>
internal sealed class KeysBusyException() : Exception("Too many unknown API keys are being looked up.");
