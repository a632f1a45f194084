namespace Orders.OutsideWorld.Faults;

/// <summary>
/// The switches with which tests and operators make the world misbehave. A world starts well-behaved and forgets its
/// behaviour when it stops.
/// </summary>
public sealed class Behaviour
{
    internal Behaviour() { }

    /// <summary>The SMTP server; shares count mails, in the mode <see cref="SmtpMode.Down"/> connections.</summary>
    public FaultProfileSwitch<SmtpMode> Smtp { get; } = new();

    /// <summary>The warehouse; shares count well-formed and rightly signed calls.</summary>
    public FaultProfileSwitch<WarehouseMode> Warehouse { get; } = new();
}
