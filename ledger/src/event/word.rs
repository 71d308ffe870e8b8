//! The words that events choose from, each with its meaning.

use crate::event::field::choice;

choice! {
    /// The licensing programs (R1).
    Program {
        /// Open License.
        OpenLicense,
        /// Open Value.
        OpenValue,
        /// Open Value Subscription.
        OpenValueSubscription,
        /// Enterprise Agreement.
        Enterprise,
        /// Campus Agreement.
        Campus,
        /// School Agreement.
        Schools,
        /// Microsoft Products and Services Agreement.
        ProductsAndServices,
    }

    /// Roles on an agreement that mail goes to (R2, R4).
    ContactRole {
        /// Primary Contact: receives the mail under Open programs.
        PrimaryContact,
        /// Online Services Manager: the default recipient elsewhere.
        OnlineServicesManager,
        /// VLSC Online Administrator: the first fallback.
        OnlineAdministrator,
        /// Notices Contact and Online Administrator: the second fallback.
        NoticesContact,
    }

    /// Volume-licensing roles on a License ID (P2).
    VlRole {
        /// May do everything, redeem too.
        Administrator,
        /// May read licence positions.
        LicensePositionReader,
        /// May download products.
        ProductDownloadManager,
        /// May read keys, and redeem.
        ProductKeysReader,
        /// May read benefits.
        BenefitsReader,
        /// May manage online services, and redeem.
        OnlineServicesManager,
        /// May read invoices.
        InvoiceReader,
    }

    /// Administrator roles in a tenant (R13, P5).
    TenantRole {
        /// Global administrator.
        GlobalAdministrator,
        /// Billing administrator.
        BillingAdministrator,
        /// User administrator.
        UserAdministrator,
        /// Any other role: gives no authority to redeem.
        Other,
    }

    /// How two customers belong together.
    Relation {
        /// Became one company.
        Merged,
        /// The first owns the second.
        ParentOf,
        /// The first is now called the second.
        RenamedTo,
        /// Belong to one group.
        Affiliated,
    }

    /// Places in the channel.
    PartnerKind {
        /// Sells to customers.
        Reseller,
        /// Sells to resellers.
        Distributor,
    }

    /// Clouds that never share tenants (W17).
    Cloud {
        /// The worldwide cloud.
        Public,
        /// US government, high.
        GovernmentHigh,
        /// Operated by 21Vianet.
        China,
        /// Personal accounts.
        Consumer,
    }

    /// How a tenant came to be.
    CreatedVia {
        /// By Sign Up from an activation mail.
        SignUpChoice,
        /// By redeeming a key at the public page.
        SetupBusiness,
        /// By a user's own sign-up, without an administrator (W18).
        SelfService,
        /// By opening a trial.
        Trial,
        /// By an ordinary purchase.
        Purchase,
        /// The source does not say.
        Unknown,
    }

    /// Sorts of delegated administration.
    DelegationKind {
        /// Delegated administration privileges.
        Delegated,
        /// Granular delegated administration privileges.
        Granular,
    }

    /// How a contact was changed (R6).
    ChangeChannel {
        /// Contract Information Change Request form.
        ChangeRequestForm,
        /// Support.
        Support,
        /// The partner.
        Partner,
    }

    /// Who entered an order (S2 step 1).
    PlacedBy {
        /// The vendor's order desk.
        Vendor,
        /// A partner.
        Partner,
    }

    /// What an order line buys.
    LineKind {
        /// Seats of a service.
        Seats,
        /// Prepaid Azure credit.
        AzureCredit,
    }

    /// How a key reached somebody.
    KeyChannel {
        /// On the pages of a portal.
        Portal,
        /// Read out on the telephone.
        Phone,
        /// In a file or a mail.
        File,
    }

    /// Why no activation mail was sent (R7).
    SuppressedReason {
        /// Services were assigned without it.
        AutoAssigned,
        /// The address is in a public domain.
        PublicDomain,
        /// More than 48 hours before the usage date.
        TooEarly,
        /// A former order is activated.
        AlreadyActivated,
        /// There was nobody to send it to.
        NoContact,
    }

    /// How a session was authenticated.
    AuthMethod {
        /// Somebody typed credentials.
        Interactive,
        /// From cached credentials.
        Cached,
        /// By a token of another session.
        SingleSignOn,
        /// As a partner, by delegation.
        Delegated,
        /// The source does not say.
        Unknown,
    }

    /// Why a session ended.
    SessionEndReason {
        /// The portal signs out after each agreement (R18).
        AfterAgreement,
        /// The user signed out.
        SignedOut,
        /// It timed out.
        Timeout,
    }

    /// How the portal verified by telephone.
    VerificationMethod {
        /// By text message.
        Text,
        /// By a call.
        Call,
    }

    /// Which domain to use (S0 step 5).
    DomainOption {
        /// One that the customer owns already.
        Own,
        /// A new one.
        New,
        /// To be added later.
        Later,
    }

    /// What the portal acknowledged (R10).
    Acknowledgement {
        /// That a profile was created.
        ProfileCreated,
        /// That the existing tenant is being associated.
        TenantAssociated,
    }

    /// Activation scenarios (R9).
    Scenario {
        /// Never a trial, never bought: must sign up.
        New,
        /// A trial whose data is kept: must sign in.
        TrialRetain,
        /// A trial that is left behind: must sign up.
        TrialFresh,
        /// BPOS-S bought and never activated: may do either.
        Bypass,
        /// Has a paid tenant already: must sign in.
        ExistingPaid,
    }

    /// On what ground services were bound.
    BindingBasis {
        /// Sign In was chosen.
        SignIn,
        /// Sign Up was chosen.
        SignUp,
        /// Assigned without a choice.
        AutoAssign,
        /// A key was redeemed.
        Redemption,
        /// The vendor moved it.
        Remap,
    }

    /// Criteria of automatic assignment (E2).
    AutoAssignCriterion {
        /// (a) The Online Services Manager administers an existing tenant.
        ManagerIsAdministrator,
        /// (b) Earlier services of the License ID are activated.
        AgreementActivated,
        /// (c) The customer number of a renewal had services assigned.
        CustomerNumberAssigned,
    }

    /// Flows that a key was redeemed through (R19).
    RedemptionFlow {
        /// The old flow with two interfaces and handled keys, until 2014-11-17.
        DualRedemption,
        /// Nobody handles a key.
        Keyless,
        /// The window holds the key already.
        Prepopulated,
        /// The key is typed.
        ManualEntry,
        /// The public page that also creates a tenant.
        Setupbusiness,
        /// The source does not say.
        Unknown,
    }

    /// Pages that a redemption starts from.
    RedemptionEntry {
        /// The link in the activation email.
        EmailLink,
        /// The contracts page of the admin center.
        Contracts,
        /// The keys tab of an Azure product.
        AzureKeysTab,
        /// The public redemption page.
        PublicPage,
        /// The source does not say.
        Unknown,
    }

    /// Why a key was refused (E8, P5).
    RejectionCode {
        /// It is no key.
        Invalid,
        /// It was entered already in this redemption.
        AlreadyEntered,
        /// It was redeemed before.
        AlreadyUsed,
        /// It has expired.
        Expired,
        /// More licences than the offer allows.
        OfferLimit,
        /// The user is no global or billing administrator.
        NotAdministrator,
        /// It is for another product.
        WrongProduct,
        /// Too many attempts.
        Throttled,
    }

    /// How keys are redeemed (R15, R17).
    RedemptionMode {
        /// Add seats and keep the end date.
        AddKeepEnd,
        /// Renew for twelve months more.
        RenewPlus12,
        /// Begin a new subscription.
        NewSubscription,
        /// Begin a new Azure subscription.
        AzureNew,
        /// Add credit to an Azure subscription.
        AzureTopUp,
    }

    /// Steps of a redemption.
    RedemptionStep {
        /// The window was opened.
        Started,
        /// A key was entered.
        KeyEntered,
        /// Seats and end date were shown.
        Reviewed,
        /// Redeem was pressed: the outcome is unknown.
        Submitted,
        /// The mode was asked.
        ModeAsked,
    }

    /// What portals show of an activation.
    ActivationStatus {
        /// Not activated.
        NotActivated,
        /// Activated.
        Activated,
        /// Something in between.
        Pending,
    }

    /// Why credit was forfeited (E11).
    ForfeitReason {
        /// The subscription moved to an Enterprise Agreement.
        MovedToEnterprise,
        /// The Azure subscription was cancelled.
        Cancelled,
        /// Any other reason.
        Other,
    }

    /// Why a revalidation failed (R23, E15).
    RevalidationFailure {
        /// No connection.
        Offline,
        /// Another machine took the place.
        Bumped,
        /// The user lost the subscription.
        Deprovisioned,
        /// The subscription was cancelled.
        Cancelled,
        /// The machine's clock is wrong.
        Clock,
        /// The service did not answer.
        Service,
        /// The agent service or the notifier does not run.
        ComponentMissing,
        /// The user's id could not be authenticated.
        Authentication,
    }

    /// Tools that reset a seat.
    ResetTool {
        /// OSAUI.exe /F.
        OsauiReactivate,
        /// ospp.vbs /unpkey.
        OsppRemoveKey,
        /// vnextdiag, action remove.
        VnextdiagRemove,
    }

    /// Licence states that tools print (R21, E13).
    LicenseState {
        /// 0: not licensed.
        Unlicensed,
        /// 1: licensed.
        Licensed,
        /// 2: installed within the last days and not activated yet.
        OobGrace,
        /// 3: out of tolerance.
        OotGrace,
        /// 4: not genuine.
        NonGenuineGrace,
        /// 5: reduced functionality.
        Notifications,
        /// 6: full function, at risk.
        ExtendedGrace,
        /// The tool itself did not know.
        Unknown,
    }

    /// What the notifier told a user.
    NotifiedCondition {
        /// The subscription has ended.
        SubscriptionExpired,
        /// The service cannot be reached.
        CannotConnect,
        /// The user has to sign in again.
        SignInNeeded,
        /// Office is in reduced functionality mode.
        ReducedFunctionality,
        /// No subscription was found.
        NoSubscriptionFound,
    }

    /// What a case is for.
    CasePurpose {
        /// To find a key.
        LocateKey,
        /// To obtain credentials.
        Credentials,
        /// To have a mail sent again.
        ResendMail,
        /// To move an agreement to another tenant.
        Remap,
        /// To have a key reversed and replaced.
        Reissue,
        /// Anything else.
        Other,
    }

    /// How parties talk.
    CaseChannel {
        /// Through a portal.
        Portal,
        /// By telephone.
        Phone,
        /// By mail.
        Mail,
        /// Through a partner.
        Partner,
    }

    /// Who can agree to a compensation (E3, P6).
    AuthorizingRole {
        /// The Primary Contact, under Open programs.
        PrimaryContact,
        /// The Online Services Manager.
        OnlineServicesManager,
        /// The Notices Contact, where there is no manager.
        NoticesContact,
        /// An administrator of the tenant that gives.
        AdministratorOfSource,
        /// An administrator of the tenant that receives.
        AdministratorOfTarget,
    }

    /// Parties that are notified.
    NotifiedParty {
        /// The customer whose entitlement went astray.
        AffectedCustomer,
        /// The customer whose tenant it landed in.
        OtherCustomer,
        /// The partner.
        Partner,
        /// A user of a seat.
        User,
    }

    /// How a case ended.
    CaseOutcome {
        /// What was wrong is undone.
        Compensated,
        /// Some of it could not be undone.
        PartlyCompensated,
        /// It was withdrawn.
        Withdrawn,
        /// The vendor refused.
        Refused,
    }

    /// What a compensation could not undo.
    Residual {
        /// Days of a term went by.
        DaysLost,
        /// Credit was spent.
        CreditSpent,
        /// Data stays where it was written.
        DataNotMoved,
        /// Users still hold seats of the wrong tenant.
        SeatsLeftBehind,
        /// Anything else.
        Other,
    }

    /// How a store came to be made anew.
    IncarnationCause {
        /// From a backup.
        Restored,
        /// From what could be read of a damaged one.
        Salvaged,
    }

    /// Who does something.
    ActorKind {
        /// Somebody of the customer.
        Customer,
        /// Somebody of a reseller.
        Partner,
        /// Somebody of a distributor.
        Distributor,
        /// The vendor.
        Microsoft,
        /// The vendor's support.
        Support,
        /// A program on a machine.
        Agent,
        /// A service.
        Service,
        /// The source does not say.
        Unknown,
    }
}
